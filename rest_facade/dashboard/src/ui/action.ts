// Doing something on the server: busy while it runs, a toast when it fails.
import { useState } from "preact/hooks";
import { say, told } from "./basics";

export function useAction(): { busy: boolean; run: (work: () => Promise<void>) => Promise<boolean> } {
  const [busy, setBusy] = useState(false);
  const run = async (work: () => Promise<void>): Promise<boolean> => {
    setBusy(true);
    try {
      await work();
      return true;
    } catch (error) {
      say(told(error));
      return false;
    } finally {
      setBusy(false);
    }
  };
  return { busy, run };
}
