import { clock } from "./clock";
import type { KitchenTimer } from "./timers";

interface Props {
  timer: KitchenTimer;
  onRemove: () => void;
}

/** One timer: its name, what is left, and a way to remove it. */
export function Timer({ timer, onRemove }: Props) {
  return (
    <li className={timer.seconds === 0 ? "done" : "running"}>
      <span>{timer.name}</span>
      <time>{clock(timer.seconds)}</time>
      <button type="button" onClick={onRemove}>
        Remove
      </button>
    </li>
  );
}
