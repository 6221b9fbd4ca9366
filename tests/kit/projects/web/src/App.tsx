import { useEffect, useReducer } from "react";
import { Timer } from "./Timer";
import { initial, reduce } from "./timers";

/** A list of named timers that count down once a second. */
export function App() {
  const [timers, dispatch] = useReducer(reduce, initial);

  useEffect(() => {
    const ticking = setInterval(() => dispatch({ type: "tick" }), 1000);
    return () => clearInterval(ticking);
  }, []);

  return (
    <main>
      <h1>Kitchen timer</h1>
      <ul>
        {timers.map((timer) => (
          <Timer key={timer.id} timer={timer} onRemove={() => dispatch({ type: "removed", id: timer.id })} />
        ))}
      </ul>
      <button type="button" onClick={() => dispatch({ type: "added", name: "Pasta", seconds: 540 })}>
        Add pasta
      </button>
    </main>
  );
}
