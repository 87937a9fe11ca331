// A new user's whole day: from the account over the first event to the end of the app.
import { BASE, call, expect, launch, open, quiet, register, signIn } from "./browser.mjs";

const browser = await launch();
const stamp = `${Date.now().toString(36)}${Math.random().toString(36).slice(2, 6)}`;
const email = `ada-${stamp}@example.com`;
const password = "a long enough password";
const helper = await register(`bob-${stamp}@example.com`);
const page = await open(browser, { allow: /40[01349] \(/ });
const button = (name, within = page) => within.getByRole("button", { name, exact: true });
const toast = (text) => page.locator(".toast", { hasText: text }).last().waitFor();
const heading = (text) => page.getByRole("heading", { name: text }).first().waitFor();
const card = (name) => page.locator(`section.card[aria-label="${name}"]`);

// Register: what is wrong is told in the product's own words.
await page.goto(`${BASE}/register`);
await page.getByLabel("Email").fill("nobody");
await page.getByLabel("Password").fill(password);
await button("Create an account").click();
await page.getByRole("alert").getByText("valid email").waitFor();
await page.getByLabel("Email").fill(email);
await button("Create an account").click();
await heading("Apps");

// An app, its snippet, a test event, and the line that turns green.
await button("New app").first().click();
await page.getByLabel("Name", { exact: true }).fill("Shop");
await button("Create").click();
await heading("Connect Shop");
const me = await signIn(email, password);
const [app] = (await call("GET", "/api/apps", undefined, me.token)).apps;
expect((await page.locator("pre").textContent()).includes(app.appKey), "the snippet lacks the app key");
await page.getByText("Waiting for the first event").waitFor();
await button("Send a test event").click();
await page.locator(".notice.good").waitFor();

// Issues: three of them, found by keyboard and text.
const now = Date.now();
const events = (kind, times) =>
  Array.from({ length: times }, (_, n) => ({
    eventId: `${kind}-${n}`, type: "error", timestamp: now - 1_000 * (times - n), platform: "web", release: "1.0.0", errorType: "js",
    message: `${kind} is broken`, stack: `Error: ${kind}\n    at ${kind} (app.js:1:1)`, userId: `user-${n}`, deviceInfo: { model: "Pixel 8" }, breadcrumbs: [{ type: "click", message: `step ${n}`, timestamp: now }],
  }));
for (let first = 0; first < 60; first += 20) await call("POST", "/api/events/batch", { appKey: app.appKey, events: events("cart", 60).slice(first, first + 20) });
await call("POST", "/api/events/batch", { appKey: app.appKey, events: [...events("login", 3), ...events("search", 2)] });
await page.getByRole("link", { name: "Issues" }).click();
await page.getByText("cart is broken").waitFor();
await page.keyboard.press("/");
await page.keyboard.type("login");
await page.waitForURL(/q=login/);
await page.getByText("cart is broken").waitFor({ state: "detached" });
await page.reload();
await page.getByText("login is broken").waitFor();
expect((await page.getByLabel("Search messages").inputValue()) === "login", "the search is not in the address");
await page.getByLabel("Search messages").fill("");
await page.getByText("cart is broken").waitFor();
await page.getByLabel("Order").selectOption("events");
await page.waitForURL(/order=events/);
await page.locator("tbody tr").first().getByText("cart is broken").waitFor();
await page.locator("h1").first().evaluate(() => document.activeElement.blur());
await page.keyboard.press("j");
await page.keyboard.press("j");
await page.keyboard.press("k");
await page.keyboard.press("x");
await page.getByText("1 selected").waitFor();
await page.keyboard.press("x");

// Several at once: fixed, then refused to be archived, then merged.
await page.getByLabel("Select: login is broken").check();
await page.getByLabel("Select: search is broken").check();
await button("Mark fixed").click();
await page.getByLabel("Release", { exact: true }).last().fill("1.1.0");
await button("Save").click();
await toast("Done for 2 issues");
await page.getByText("Fixed, not yet verified").first().waitFor();
await page.getByLabel("Select: login is broken").check();
await button("Archive").click();
await toast("refused");
await page.getByLabel("Select: login is broken").check();
await page.getByLabel("Select: search is broken").check();
await button("Merge").click();
await toast("Merged");
await page.getByText("search is broken").waitFor({ state: "detached" });

// One issue: its life.
await page.keyboard.press("k");
await page.keyboard.press("Enter");
await heading("cart is broken");
await card("Breakdown").getByText("Pixel 8").waitFor();
await button("Mark fixed").click();
await page.getByLabel("Release").last().fill("2.0.0");
await button("Save").click();
await page.getByText("Fixed, not yet verified").waitFor();
await button("Mark verified").click();
await button("Save").click();
await page.locator(".title .badge", { hasText: "Resolved" }).waitFor();
await button("Archive").click();
await page.locator(".title .badge", { hasText: "Archived" }).waitFor();
await button("Reopen").click();
await page.locator(".title .badge", { hasText: "Open" }).waitFor();
await page.getByLabel("Comment").fill("Looked at it <b>twice</b>");
await button("Add comment").click();
await page.getByText("Looked at it <b>twice</b>").waitFor();
await page.getByText("marked it fixed in 2.0.0").waitFor();
await page.getByLabel("Assignee").selectOption({ label: email });
await toast("Saved");
await button("Mute for a week").click();
await button("Unmute").waitFor();
await button("Unmute").click();
await button("Mute for a week").waitFor();

// Its events, one by one.
const crumb = (text) => page.locator(".crumbs").getByText(text, { exact: true }).waitFor();
await crumb("step 59");
await button("Older →").click();
await crumb("step 58");
await button("← Newer").click();
await crumb("step 59");
await button("Oldest").click();
await crumb("step 0");
await button("← Newer").click();
await crumb("step 1");
await button("Newest").click();
await crumb("step 59");
await card("Raw JSON").getByText("Show").click();
await card("Raw JSON").getByText('"eventId": "cart-59"').waitFor();
await button("Copy as text").click();
await toast("Copied");
expect((await page.evaluate(() => navigator.clipboard.readText())).startsWith("Error: cart"), "the stack was not copied");
await page.getByText("Why are these events one issue?").click();
await card("Grouping").getByText("Stack frame 1").waitFor();

// The one that was merged goes its own way again.
await page.getByRole("link", { name: "Issues", exact: true }).first().click();
await page.getByText("login is broken").click();
await heading("login is broken");
await button("Unmerge").click();
await toast("Unmerged");
await page.getByRole("link", { name: "Issues", exact: true }).first().click();
await page.getByText("search is broken").waitFor();

// New events come by themselves, and nothing that was chosen is lost.
await page.getByLabel("Select: cart is broken").check();
await call("POST", "/api/events/batch", { appKey: app.appKey, events: events("profile", 1) });
await page.getByText("profile is broken").waitFor();
expect(await page.getByLabel("Select: cart is broken").isChecked(), "the refresh lost the selection");

// The range and the filters of the overview are in its address.
await page.getByRole("link", { name: "Overview" }).click();
await page.locator(".tile", { hasText: "Issues" }).getByText("none before").waitFor();
await page.getByLabel("Time range").selectOption("7d");
await page.waitForURL(/range=7d/);
await page.getByLabel("Release").selectOption("1.0.0");
await page.waitForURL(/release=1.0.0/);
await page.getByLabel("Time range").selectOption("custom");
await page.getByLabel("From", { exact: true }).fill("2026-01-01T00:00");
await page.getByRole("textbox", { name: "To", exact: true }).fill("2025-01-01T00:00");
await page.getByText("lies before the start").waitFor();
await page.keyboard.press("Escape");

// Its requests: the slowest, then those that fail most, of all releases whatever is chosen.
const request = (id, url, duration, success) => ({ eventId: id, type: "http", timestamp: now, platform: "web", method: "GET", url, duration, success });
const requests = [request("r-1", "/api/slow/17", 9_000, true), request("r-2", "/api/slow/18", 9_000, true), request("r-3", "/api/broken?x=1", 20, false)];
await call("POST", "/api/events/batch", { appKey: app.appKey, events: requests });
await page.reload();
const listed = card("Requests").locator("tbody tr");
await listed.first().getByText("/api/slow/:id").waitFor();
await card("Requests").getByText("of all platforms, releases").waitFor();
await page.getByLabel("Order").selectOption("failing");
await listed.first().getByText("/api/broken").waitFor();
await listed.first().getByText("100%").waitFor();

// Settings.
await page.getByRole("link", { name: "Settings" }).click();
await page.getByLabel("Name", { exact: true }).fill("Shop 2");
await page.getByLabel("Days that events are kept").fill("12");
await page.getByLabel("Allowed origins").fill("https://shop.example\nhttps://www.shop.example");
await page.getByLabel("Names of values that are masked").fill("iban");
await page.getByLabel("card numbers").check();
await button("Save").click();
await toast("Saved");
await page.getByLabel("App", { exact: true }).getByText("Shop 2").waitFor({ state: "attached" });
const changed = (await call("GET", `/api/apps/${app.id}`, undefined, me.token)).app;
expect(changed.settings.retentionDays === 12 && changed.settings.allowedOrigins.length === 2 && changed.settings.scrubPatterns[0] === "card", "the settings were not taken");
await page.getByLabel("Days that events are kept").fill("99999");
await page.locator("form").first().evaluate((form) => (form.noValidate = true));
await button("Save").click();
await page.locator(".toast").last().waitFor();
await page.getByLabel("Email", { exact: true }).fill(helper.email);
await button("Add").click();
await page.getByLabel(`Role of ${helper.email}`).selectOption("editor");
await page.waitForFunction((name) => document.querySelector(`[aria-label="Role of ${name}"]`)?.value === "editor", helper.email);
await card("Ledger").getByText("Received").waitFor();
expect(/Received 70 = Stored 70 \+/.test(await card("Ledger").locator("p").textContent()), "the ledger does not say what arrived");

// Somebody else sees what his role allows, at once.
const other = await open(browser, { signedIn: helper, allow: /404 \(Not Found\)/ });
await other.goto(`${BASE}/apps/${app.id}/settings`);
await other.getByText("Only the owner changes these.").waitFor();
expect((await other.getByRole("button", { name: "Delete app" }).count()) === 0, "an editor is offered to delete the app");
await button("Remove").click();
await page.getByText(helper.email).waitFor({ state: "detached" });
await other.goto(`${BASE}/apps/${app.id}/issues`);
await other.getByText("Not found").waitFor();
await other.goto(`${BASE}/apps/${app.id}/issues/${encodeURIComponent(`${app.appKey}:v1:nothing`)}`);
await other.getByText("Not found").waitFor();
quiet(other, "a stranger");

// A new key, and the end of the app.
await button("Rotate key").click();
await button("Rotate key", page.locator("dialog")).click();
await page.getByText("is accepted until").waitFor();
await button("Delete app").click();
await page.getByLabel("Type Shop 2 to delete it for good").fill("Shop");
expect(await button("Delete app", page.locator("dialog")).isDisabled(), "a wrong name deletes");
await page.getByLabel("Type Shop 2 to delete it for good").fill("Shop 2");
await button("Delete app", page.locator("dialog")).click();
await page.getByText("No apps yet").waitFor();

// Language and theme are kept; a session that ended brings one back to the same place.
await button("中文").click();
await page.getByRole("heading", { name: "应用" }).waitFor();
await page.getByRole("button", { name: "配色: 跟随系统" }).click();
await page.getByRole("button", { name: "配色: 浅色" }).click();
await page.reload();
await page.getByRole("heading", { name: "应用" }).waitFor();
expect((await page.evaluate(() => document.documentElement.style.colorScheme)) === "dark", "the theme was forgotten");
await button("English").click();
await page.goto(`${BASE}/account?from=here`);
await button("Sign out").waitFor();
const token = await page.evaluate(() => JSON.parse(localStorage["healthguard.session"]).token);
await call("POST", "/api/auth/logout", undefined, token);
await page.goto(`${BASE}/account?from=here`);
await page.getByText("Your session has ended").waitFor();
await page.getByLabel("Email").fill(email);
await page.getByLabel("Password").fill("not the password");
await button("Sign in").click();
await page.getByRole("alert").waitFor();
await page.getByLabel("Password").fill(password);
await button("Sign in").click();
await page.waitForURL(`${BASE}/account?from=here`);
const elsewhere = page.locator('section[aria-label="Where you are signed in"]');
await elsewhere.getByText("this one").waitFor();
await signIn(email, password);
await page.reload();
await button("End").first().click();
await toast("Signed out there");
await page.getByLabel("Current password").fill("a wrong one");
await page.getByLabel("New password").fill("a longer password than before");
await button("Change password").click();
await page.locator(".toast").last().waitFor();
await page.getByLabel("Current password").fill(password);
await button("Change password").click();
await toast("The password is changed");
await signIn(email, "a longer password than before");
await button("Sign out").click();
await page.waitForURL(/\/login/);
quiet(page, "the day");

await browser.close();
console.log(JSON.stringify({ done: true }));
