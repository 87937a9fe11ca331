// One value that components can watch.
import { useEffect, useState } from "preact/hooks";

export interface Store<T> {
  get(): T;
  set(value: T): void;
  watch(listener: () => void): () => void;
}

export function store<T>(initial: T): Store<T> {
  let value = initial;
  const listeners = new Set<() => void>();
  return {
    get: () => value,
    set: (next) => {
      if (Object.is(next, value)) return;
      value = next;
      for (const listener of [...listeners]) listener();
    },
    watch: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}

export function useStore<T>(source: Store<T>): T {
  const [value, set] = useState(source.get);
  useEffect(() => {
    const read = () => set(() => source.get());
    read();
    return source.watch(read);
  }, [source]);
  return value;
}

// What the browser keeps between visits; a browser that forbids it forgets, and nothing else breaks.
export const kept = {
  read(name: string): string | null {
    try {
      return localStorage.getItem(`healthguard.${name}`);
    } catch {
      return null;
    }
  },
  write(name: string, value: string | null): void {
    try {
      if (value === null) localStorage.removeItem(`healthguard.${name}`);
      else localStorage.setItem(`healthguard.${name}`, value);
    } catch {
      return;
    }
  },
};
