// How long two pages of an app take in a browser, from the navigation until they can be used. For the bench.
import { BASE, call, launch, open } from "./browser.mjs";

const { ACCOUNT, APP_KEY, TIMES } = process.env;
const me = JSON.parse(ACCOUNT);
const { apps } = await call("GET", "/api/apps", undefined, me.token);
const app = apps.find((one) => one.appKey === APP_KEY);
const PAGES = { overview: [`/apps/${app.id}`, ".tile .value"], "issue list": [`/apps/${app.id}/issues`, ".issues .message"] };

const browser = await launch();
const page = await open(browser, { signedIn: me });
const told = {};
for (const [name, [path, there]] of Object.entries(PAGES)) {
  told[name] = [];
  // The first time the browser fetches and compiles what it keeps for all others.
  for (let time = 0; time <= Number(TIMES); time++) {
    await page.goto(BASE + path, { waitUntil: "commit" });
    const usable = await page.waitForFunction((selector) => document.querySelector(selector) && !document.querySelector("main .bone") && performance.now(), there);
    if (time > 0) told[name].push(await usable.jsonValue());
  }
}
await browser.close();
console.log(JSON.stringify(told));
