export const title = (task: { title?: string }): string => task.title;
