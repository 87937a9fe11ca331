// A recorded session of the demo: found from its issue, played, scrubbed, and opened at an instant.
import { BASE, call, expect, launch, open, quiet, signIn } from "./browser.mjs";

const { EMAIL, PASSWORD } = process.env;
const browser = await launch();
const me = await signIn(EMAIL, PASSWORD);
const { apps } = await call("GET", "/api/apps", undefined, me.token);
const app = apps.find((one) => one.type === "ios");
const page = await open(browser, { signedIn: me });
const at = () => page.locator(".scrub").evaluate((scrub) => Number(scrub.value));
const before = (ms) => page.waitForFunction((than) => Number(document.querySelector(".scrub").value) < than, ms);
const behind = (ms) => page.waitForFunction((than) => Number(document.querySelector(".scrub").value) >= than, ms);

await page.goto(`${BASE}/apps/${app.id}/issues?q=NSRange`);
await page.getByText("NSRangeException").first().click();
await page.getByText("Watch the recorded session").click();
await page.waitForURL(/sessions\/\d+\?at=\d+/);
await page.locator(".glass img").waitFor();
await behind(60_000);
expect((await page.locator(".messages .now").count()) === 1, "no message is the present one");

// Keys and mouse.
const start = await at();
const began = Number(new URL(page.url()).searchParams.get("at")) - start;
await page.locator("h1").click();
await page.keyboard.press("ArrowLeft");
await before(start);
await page.keyboard.press("ArrowRight");
await behind(start);
await page.locator(".scrub").fill("58500");
await page.locator(".touch.rage").first().waitFor();
const track = await page.locator(".track").first().boundingBox();
await page.mouse.click(track.x + track.width * 0.25, track.y + 4);
await before(30_000);
const sought = await at();
await page.waitForURL((url) => Math.abs(Number(url.searchParams.get("at")) - began - sought) < 1_000);
const link = page.url();

// Play: time goes on, faster when asked.
await page.getByLabel("Speed").selectOption("8");
const from = await at();
await page.keyboard.press(" ");
await behind(from + 4_000);
await page.getByRole("button", { name: "Pause" }).click();
await page.getByRole("button", { name: "Play" }).waitFor();
const [first, second] = [await page.locator(".glass img").getAttribute("src"), page.locator(".glass img")];
await page.locator(".scrub").fill("1000");
await page.waitForFunction((old) => document.querySelector(".glass img")?.src !== old, first);
expect((await second.evaluate((image) => image.naturalWidth)) > 0, "the screenshot is no picture");

// Signals lead to their instant, messages to theirs.
await page.locator('section[aria-label="Signals"] button').last().click();
await behind(60_000);
await page.getByRole("combobox", { name: "Show" }).selectOption("log");
await page.locator(".messages button").first().click();
await before(10_000);
await page.locator('section[aria-label="Signals"]').getByRole("link", { name: "To the issue" }).waitFor();

// The link of an instant opens there, also after a reload.
await page.goto(link);
await page.locator(".glass img").waitFor();
expect(Math.abs((await at()) - sought) < 1_000, `the link opened at ${await at()}`);
quiet(page, "the player");
await browser.close();
console.log(JSON.stringify({ done: true }));
