import { plural } from "./App";

export const label = (count: number): string => `${count} ${plural(count)}`;
