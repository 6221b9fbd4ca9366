export interface KitchenTimer {
  id: number;
  name: string;
  seconds: number;
}

export type Change =
  | { type: "tick" }
  | { type: "added"; name: string; seconds: number }
  | { type: "removed"; id: number };

export const initial: KitchenTimer[] = [{ id: 1, name: "Eggs", seconds: 360 }];

/** The list of timers after a change; the list given stays as it is. */
export function reduce(timers: KitchenTimer[], change: Change): KitchenTimer[] {
  switch (change.type) {
    case "tick":
      return timers.map((timer) => ({ ...timer, seconds: Math.max(0, timer.seconds - 1) }));
    case "added":
      return [...timers, { id: nextId(timers), name: change.name, seconds: change.seconds }];
    case "removed":
      return timers.filter((timer) => timer.id !== change.id);
  }
}

function nextId(timers: KitchenTimer[]): number {
  return Math.max(0, ...timers.map((timer) => timer.id)) + 1;
}
