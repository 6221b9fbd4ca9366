export const double = (n: number): number => n * two;
