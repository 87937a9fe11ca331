// A real browser that tolerates nothing: no console error, no exception, no request to another origin.
import { chromium } from "playwright-core";

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export const { BASE, CHROMIUM } = process.env;

export const launch = () => chromium.launch({ executablePath: CHROMIUM, args: FLAGS });

// A page in a profile of its own. `faults` collects what must not happen; `allow` says which messages a scenario provokes.
export async function open(browser, { signedIn, width = 1440, colorScheme = "light", locale = "en-US", allow = /^$/ } = {}) {
  const context = await browser.newContext({ viewport: { width, height: width < 500 ? 844 : 900 }, colorScheme, locale, reducedMotion: "reduce" });
  await context.grantPermissions(["clipboard-read", "clipboard-write"], { origin: BASE });
  if (signedIn) await context.addInitScript((kept) => { if (!sessionStorage.seeded) { localStorage["healthguard.session"] = kept; sessionStorage.seeded = 1; } }, JSON.stringify(signedIn));
  await context.addInitScript(() => {
    window.jumps = 0;
    new PerformanceObserver((list) => list.getEntries().forEach((entry) => (window.jumps += entry.value))).observe({ type: "layout-shift", buffered: true });
  });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  page.faults = [];
  const note = (text) => allow.test(text) || page.faults.push(text);
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && note(`console: ${message.text()}`));
  page.on("pageerror", (error) => note(`exception: ${error.message}`));
  page.on("dialog", (dialog) => { note(`dialog: ${dialog.message()}`); void dialog.dismiss(); });
  page.on("request", (request) => {
    const { origin, protocol } = new URL(request.url());
    if (origin !== BASE && !["blob:", "data:"].includes(protocol)) note(`request to ${request.url()}`);
  });
  return page;
}

export async function call(method, path, body, token) {
  const headers = { "content-type": "application/json" };
  if (token) headers.authorization = `Bearer ${token}`;
  const answer = await fetch(BASE + path, { method, headers, body: body && JSON.stringify(body) });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return answer.status === 204 ? null : answer.json();
}

export async function register(email, password = "a long enough password") {
  const { token, user } = await call("POST", "/api/auth/register", { email, password });
  return { token, userId: user.id, email: user.email, password };
}

export async function signIn(email, password) {
  const { token, user } = await call("POST", "/api/auth/login", { email, password });
  return { token, userId: user.id, email: user.email };
}

export function expect(condition, what) {
  if (!condition) throw new Error(what);
}

export function quiet(page, where) {
  expect(page.faults.length === 0, `${where}: ${page.faults.join("; ")}`);
}
