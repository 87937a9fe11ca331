// Who is signed in: the bearer token, shared by all tabs.
import { kept, store } from "./store";

export interface SignedIn {
  token: string;
  userId: string;
  email: string;
}

function read(): SignedIn | null {
  try {
    const found = JSON.parse(kept.read("session") ?? "null") as Partial<SignedIn> | null;
    return found?.token && found.userId && found.email ? (found as SignedIn) : null;
  } catch {
    return null;
  }
}

export const session = store<SignedIn | null>(read());

// Whether the last session ended by itself, so that the sign-in page can say so.
export const expired = store(false);

export function signIn(next: SignedIn): void {
  kept.write("session", JSON.stringify(next));
  expired.set(false);
  session.set(next);
}

export function signOut(): void {
  kept.write("session", null);
  session.set(null);
}

// A token the server no longer takes; one that was replaced meanwhile is left alone.
export function sessionEnded(token: string): void {
  if (session.get()?.token !== token) return;
  expired.set(true);
  signOut();
}

addEventListener("storage", (event) => {
  if (event.key === "healthguard.session") session.set(read());
});
