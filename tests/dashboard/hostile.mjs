// Events that want to be more than text stay text, wherever they are shown.
import { BASE, call, expect, launch, open, quiet, register } from "./browser.mjs";

const browser = await launch();
const me = await register(`eve-${Date.now().toString(36)}@example.com`);
const { app } = await call("POST", "/api/apps", { name: "<img src=x onerror=pwned=1>", type: "web" }, me.token);
const evil = `<script>window.pwned=1</script><img src=x onerror="window.pwned=1">"'\`{{7*7}}\${7*7}`;
const short = `<b onclick="pwned=1">'"`;
const odd = "👩‍👩‍👧‍👦 \u202Eright to left\u202C שלום مرحبا \u0000 \uD83D end";
const every = {
  platform: short, sessionId: evil, anonymousId: evil, userId: evil, sdkVersion: short, release: evil, environment: short, pageUrl: `javascript:${evil}`,
  page: evil, scene: evil, errorType: short, filename: evil, lineno: 1, colno: 2, context: { [evil]: evil, nothing: null, deep: { [evil]: [evil, null] } },
  deviceInfo: { model: evil, system: odd, userAgent: evil, language: evil, more: evil }, [evil]: evil,
  breadcrumbs: [{ type: evil, message: evil, timestamp: 8.64e15, data: { [evil]: evil } }, { type: "click", message: odd }],
};
const error = (eventId, more) => ({ eventId, type: "error", timestamp: Date.now(), ...every, ...more });
const sent = [
  error("evil", { message: evil, stack: `${evil}\n    at ${evil} (javascript:alert(1):1:1)` }),
  error("long", { message: "long ".repeat(20_480), stack: "    at f (a.js:1:1)\n".repeat(4_000) }),
  error("slow", { message: "a stack that regular expressions choke on", stack: "@".repeat(60_000) }),
  error("odd", { message: odd }),
  error("none", { message: null, stack: null, breadcrumbs: null, context: null, deviceInfo: null, platform: null }),
  { eventId: "http", type: "http", timestamp: Date.now(), method: "<b>", url: `https://x.example/${evil}`, status: 500, success: false, duration: 1e300, errorMessage: evil, requestData: { [evil]: evil } },
  { eventId: "vital", type: "performance", timestamp: Date.now(), name: short, value: 1e300, rating: short },
];
const { accepted, rejected } = await call("POST", "/api/events/batch", { appKey: app.appKey, events: sent });
expect(accepted >= 6, `only ${accepted} events were taken: ${JSON.stringify(rejected)}`);
const { issues } = await call("GET", `/api/issues?appKey=${app.appKey}`, undefined, me.token);
await call("POST", `/api/issues/${encodeURIComponent(issues[0].id)}/comments`, { text: evil }, me.token);

const page = await open(browser, { signedIn: me });
const harmless = async (where) => {
  expect((await page.evaluate(() => window.pwned)) === undefined, `${where}: a script ran`);
  const strange = await page.locator("#app script, #app img:not(.glass img), #app a[href^='javascript:']").count();
  expect(strange === 0, `${where}: ${strange} elements came out of an event`);
  quiet(page, where);
};
for (const [path, there] of [["/", ".app .spark rect"], [`/apps/${app.id}`, "canvas >> nth=1"], [`/apps/${app.id}/issues`, ".issues tbody tr"], [`/apps/${app.id}/settings`, "section"]]) {
  await page.goto(BASE + path);
  await page.waitForSelector(there);
  await page.getByText("<img src=x onerror=pwned=1>").first().waitFor({ state: "attached" });
  await harmless(path);
}
for (const issue of issues) {
  await page.goto(`${BASE}/apps/${app.id}/issues/${encodeURIComponent(issue.id)}?grouping=1`);
  await page.waitForSelector("table.facts");
  await page.locator("details > summary").evaluateAll((all) => all.forEach((summary) => summary.click()));
  await harmless(issue.id.slice(0, 60));
}
await page.goto(`${BASE}/apps/${app.id}/issues?q=${encodeURIComponent(evil)}&release=${encodeURIComponent(evil)}&order=${encodeURIComponent(evil)}&range=${encodeURIComponent(evil)}`);
await page.waitForSelector(".issues tbody tr, .empty");
await harmless("filters of evil");
await browser.close();
console.log(JSON.stringify({ issues: issues.length }));
