export const slug = (title) => title.toLowerCase().replaceAll(/[^\p{L}\p{N}]+/gu, "-");
