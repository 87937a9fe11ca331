// Addresses: where we are, how to go elsewhere, and what stands behind the question mark.
import { store, useStore } from "./store";

export interface Place {
  path: string;
  query: URLSearchParams;
}

const SCREENS = /^\/(?:login|register|apps|account)(?:[/?#]|$)|^\/(?:[?#]|$)/;

const read = (): Place => ({ path: location.pathname, query: new URLSearchParams(location.search) });

const place = store(read());

export const here = (): Place => place.get();
export const usePlace = (): Place => useStore(place);

export function go(to: string, { replace = false } = {}): void {
  if (to === location.pathname + location.search) return;
  const moved = new URL(to, location.origin).pathname !== location.pathname;
  history[replace ? "replaceState" : "pushState"](null, "", to);
  place.set(read());
  if (moved && !replace) scrollTo(0, 0);
}

// The address of this page with some of its parameters changed; null and "" take one out.
export function withQuery(changes: Record<string, string | null>): string {
  const query = new URLSearchParams(place.get().query);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === "") query.delete(name);
    else query.set(name, value);
  }
  const text = query.toString();
  return place.get().path + (text ? `?${text}` : "");
}

// The parts of a path behind a prefix, decoded; broken encodings are taken as they are.
export function segments(path: string): string[] {
  return path.split("/").filter(Boolean).map(decoded);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export function startRouter(): void {
  addEventListener("popstate", () => place.set(read()));
  document.addEventListener("click", (event) => {
    const plain = event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
    const link = (event.target as Element | null)?.closest?.("a[href]");
    const href = link?.getAttribute("href") ?? "";
    if (!plain || event.defaultPrevented || !SCREENS.test(href) || link?.hasAttribute("download")) return;
    event.preventDefault();
    go(href);
  });
}

export const paths = {
  app: (id: string, page = "") => `/apps/${encodeURIComponent(id)}${page ? `/${page}` : ""}`,
  issue: (appId: string, issueId: string) => `/apps/${encodeURIComponent(appId)}/issues/${encodeURIComponent(issueId)}`,
  session: (appId: string, sessionId: string, at?: number) =>
    `/apps/${encodeURIComponent(appId)}/sessions/${sessionId}${at === undefined ? "" : `?at=${Math.round(at)}`}`,
};
