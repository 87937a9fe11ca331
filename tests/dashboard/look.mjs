// Every page over the demo's data, in both languages, both themes and both widths; in one look of each theme axe judges it.
import fs from "node:fs";
import { createRequire } from "node:module";
import { BASE, call, expect, launch, open, quiet, signIn } from "./browser.mjs";

const AXE = fs.readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const { EMAIL, PASSWORD, SHOTS } = process.env;
const FIRST_LOAD_BYTES = 150_000;
// Share of the window that moved, as browsers weigh it: what web vitals call good.
const MOST_JUMPS = 0.1;
const IN_README = new Set(["overview", "player"]);

const browser = await launch();
const me = await signIn(EMAIL, PASSWORD);
const { apps } = await call("GET", "/api/apps", undefined, me.token);
const web = apps.find((app) => app.type === "web");
const ios = apps.find((app) => app.type === "ios");
const { issues } = await call("GET", `/api/issues?appKey=${web.appKey}&orderBy=events`, undefined, me.token);
const { sessions } = await call("GET", `/api/sessions?appKey=${ios.appKey}&hasCrash=true`, undefined, me.token);
const js = issues.find((issue) => issue.errorType === "js");
const http = issues.find((issue) => issue.errorType === "http");
const issuePath = (issue) => `/apps/${web.id}/issues/${encodeURIComponent(issue.id)}`;

// Name, address, and what is there once the page is.
const PAGES = [
  ["apps", "/", ".app .spark rect"],
  ["overview", `/apps/${web.id}?range=7d`, ".requests tbody tr >> nth=3"],
  ["issues", `/apps/${web.id}/issues`, ".issues .message"],
  ["issues-none", `/apps/${web.id}/issues?q=nothing+says+this`, ".empty a"],
  ["issue", `${issuePath(js)}?grouping=1`, ".frames .own"],
  ["issue-http", issuePath(http), "table.facts >> nth=1"],
  ["sessions", `/apps/${ios.id}/sessions`, "tbody tr"],
  ["player", `/apps/${ios.id}/sessions/${sessions[0].id}?at=${sessions[0].startedAt + 58_500}`, ".glass img"],
  ["settings", `/apps/${web.id}/settings`, "canvas"],
  ["setup", `/apps/${web.id}/setup`, ".notice.good"],
  ["account", "/account", "main button"],
  ["unknown", "/apps/app_record_nobody", ".empty a"],
];
const LOOKS = [
  { colorScheme: "light", locale: "en-US", width: 1440, axe: true },
  { colorScheme: "light", locale: "zh-CN", width: 390 },
  { colorScheme: "dark", locale: "zh-CN", width: 390, axe: true },
  { colorScheme: "dark", locale: "en-US", width: 1440 },
];

async function inspect(page, name) {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
  const grave = violations.filter((one) => ["serious", "critical"].includes(one.impact));
  expect(grave.length === 0, `${name}: ${grave.map((one) => `${one.id} at ${one.nodes[0].target}: ${one.nodes[0].failureSummary}`).join("; ")}`);
}

async function judge(page, name) {
  const wide = await page.evaluate(() => document.scrollingElement.scrollWidth - innerWidth);
  expect(wide <= 0, `${name} is ${wide} px too wide`);
  const jumps = await page.evaluate(() => window.jumps);
  expect(jumps < MOST_JUMPS, `${name} jumped by ${jumps} while it was loaded`);
  quiet(page, name);
}

async function firstLoad() {
  const page = await open(browser);
  let bytes = 0;
  page.on("response", async (answer) => {
    const { pathname } = new URL(answer.url());
    if (!pathname.startsWith("/assets/")) return;
    expect(answer.headers()["cache-control"].includes("immutable"), `${pathname} may not be kept`);
    bytes += Number(answer.headers()["content-length"]);
  });
  await page.goto(`${BASE}/`);
  await page.waitForSelector("input[name=email]");
  await inspect(page, "sign-in");
  await judge(page, "sign-in");
  await page.fill("input[name=email]", EMAIL);
  await page.fill("input[name=password]", PASSWORD);
  await page.click("button[type=submit]");
  await page.waitForSelector(".app .spark rect");
  expect(bytes > 0 && bytes <= FIRST_LOAD_BYTES, `the first load takes ${bytes} bytes`);
  await page.context().close();
  return bytes;
}

let seen = 0;
const bytes = await firstLoad();
await Promise.all(
  [LOOKS.slice(0, 2), LOOKS.slice(2)].map(async (looks) => {
    for (const look of looks) {
      const page = await open(browser, { ...look, signedIn: me, allow: /404 \(Not Found\)/ });
      for (const [name, path, there] of PAGES) {
        const where = `${name} ${look.colorScheme} ${look.locale} ${look.width}`;
        await page.goto(BASE + path);
        await page.waitForSelector(there).catch(() => expect(false, `${where}: no ${there}`));
        expect((await page.evaluate(() => document.documentElement.lang)).startsWith(look.locale.slice(0, 2)), `${where}: wrong language`);
        if (look.axe) await inspect(page, where);
        await judge(page, where);
        if (SHOTS && look === LOOKS[0] && IN_README.has(name)) await page.screenshot({ path: `${SHOTS}/${name}.png` });
        seen++;
      }
      await page.context().close();
    }
  }),
);
await browser.close();
console.log(JSON.stringify({ seen, firstLoadBytes: bytes }));
