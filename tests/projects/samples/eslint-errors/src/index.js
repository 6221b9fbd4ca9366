export function same(a, b) {
  const unused = 1;
  if (a == b) {
    return undefinedName;
  }
  return false;
}
