// The server goes away and comes back while somebody looks; who started us is asked to do both, a line each.
import readline from "node:readline";
import { BASE, call, launch, open, quiet, register } from "./browser.mjs";

const answers = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const ask = async (what) => {
  console.log(what);
  await answers.next();
};
const browser = await launch();
const me = await register(`dan-${Date.now().toString(36)}@example.com`);
const { app } = await call("POST", "/api/apps", { name: "Shop", type: "web" }, me.token);
const report = (message) => call("POST", "/api/events/batch", { appKey: app.appKey, events: [{ eventId: message, type: "error", timestamp: Date.now(), message }] });
await report("before the outage");
const page = await open(browser, { signedIn: me, allow: /ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|50[23] \(/ });
await page.goto(`${BASE}/apps/${app.id}/issues`);
await page.getByText("before the outage").waitFor();
await ask("stop");
await page.getByText("The collector does not answer").waitFor();
await page.getByText("before the outage").waitFor();
await ask("start");
await page.getByText("The collector does not answer").waitFor({ state: "detached" });
await report("after the outage");
await page.getByText("after the outage").waitFor();
quiet(page, "the outage");
await browser.close();
console.log(JSON.stringify({ healed: true }));
process.exit();
