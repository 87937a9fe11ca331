// Reads from the server: once, again when the question changes, and every few seconds while somebody looks.
import { useEffect, useRef, useState } from "preact/hooks";
import { Problem } from "./api/client";

export interface Query<T> {
  data: T | undefined;
  error: Problem | undefined;
  // The data belong to an earlier question.
  stale: boolean;
  reload(): void;
}

const RETRY_MS = 3_000;

interface State<T> {
  data?: T;
  error?: Problem;
  answered?: string;
}

// `question` identifies what is asked; the answer to the last one stays visible until the next arrives.
export function useQuery<T>(question: string, load: (signal: AbortSignal) => Promise<T>, everyMs = 0): Query<T> {
  const [state, set] = useState<State<T>>({});
  const [turn, setTurn] = useState(0);
  const latest = useRef(load);
  latest.current = load;

  useEffect(() => {
    const stop = new AbortController();
    let timer = 0;

    const again = (afterMs: number) => {
      clearTimeout(timer);
      if (afterMs > 0) timer = window.setTimeout(look, afterMs);
    };
    const look = async () => {
      if (document.hidden) return;
      try {
        const data = await latest.current(stop.signal);
        if (stop.signal.aborted) return;
        set((before) => ({ data: unchanged(before.data, data), answered: question }));
        again(everyMs);
      } catch (cause) {
        if (stop.signal.aborted) return;
        const error = cause instanceof Problem ? cause : new Problem(0, "UNKNOWN", String(cause));
        set((before) => (error.isTransient ? { ...before, error } : { error, answered: question }));
        again(error.isTransient ? RETRY_MS : 0);
      }
    };
    const seen = () => {
      if (!document.hidden) void look();
    };
    void look();
    document.addEventListener("visibilitychange", seen);
    return () => {
      stop.abort();
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", seen);
    };
  }, [question, everyMs, turn]);

  return {
    data: state.data,
    error: state.error,
    stale: state.answered !== question,
    reload: () => setTurn((before) => before + 1),
  };
}

// The same answer is the same object, so that what shows it is left alone.
function unchanged<T>(before: T | undefined, now: T): T {
  return before !== undefined && JSON.stringify(before) === JSON.stringify(now) ? before : now;
}
