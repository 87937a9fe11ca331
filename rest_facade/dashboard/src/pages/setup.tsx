// From a new app to its first event: what to paste, a test event, and a line that turns green.
import { api, take, type App } from "../api/client";
import { count } from "../format";
import { t } from "../i18n";
import { useQuery } from "../query";
import { paths } from "../router";
import { useAction } from "../ui/action";
import { Card, Copy, Copyable, say, useTitle } from "../ui/basics";

export function SetupPage({ app }: { app: App }) {
  useTitle(t("setup"), app.name);
  const { busy, run } = useAction();
  const seen = useQuery(
    `first ${app.appKey}`,
    async (signal) => (await take(api.GET("/api/overview", { params: { query: { appKey: app.appKey } }, signal }))).totals.events,
    2_000,
  );
  const sendTest = () =>
    run(async () => {
      await take(api.POST("/api/events/batch", { body: { appKey: app.appKey, events: [testEvent(app)] } }));
      say(t("testEventSent"));
      seen.reload();
    });
  const arrived = (seen.data ?? 0) > 0;
  const code = snippet(app, location.origin);
  return (
    <div class="stack" style={{ maxWidth: "820px" }}>
      <h1>{t("setupOf", { name: app.name })}</h1>
      <p class={arrived ? "notice good" : "notice"} role="status">
        {arrived ? t("firstEventArrived", { n: count(seen.data ?? 0) }) : t("waitingForFirstEvent")}
      </p>
      <Card title={t("whatSdksNeed")} flush>
        <table class="facts">
          <tbody>
            <tr>
              <th scope="row">{t("server")}</th>
              <td>
                <Copyable text={location.origin} />
              </td>
            </tr>
            <tr>
              <th scope="row">{t("appKey")}</th>
              <td>
                <Copyable text={app.appKey} />
              </td>
            </tr>
            <tr>
              <th scope="row">{t("projectId")}</th>
              <td>
                <Copyable text={String(app.projectId)} />
              </td>
            </tr>
          </tbody>
        </table>
      </Card>
      <Card title={t("snippet")} aside={<Copy text={code} />} flush>
        <pre class="raw" tabIndex={0}>
          {code}
        </pre>
      </Card>
      <div class="row">
        <button class="button main" type="button" disabled={busy} onClick={() => void sendTest()}>
          {t("sendTestEvent")}
        </button>
        <a class="button" href={paths.app(app.id)}>
          {t("toOverview")}
        </a>
      </div>
    </div>
  );
}

function testEvent(app: App) {
  return {
    eventId: `evt_${Date.now().toString(36)}${Math.random().toString(36).slice(2)}`,
    type: "error",
    timestamp: Date.now(),
    platform: app.type,
    errorType: "test",
    message: "Test event from the dashboard",
    release: "test",
    environment: "test",
    pageUrl: location.origin,
    deviceInfo: { userAgent: navigator.userAgent, language: navigator.language },
  };
}

const MOBILE = new Set(["ios", "android", "react-native"]);

// A mobile app names us to its tracker; everything else can report with what its platform has.
function snippet(app: App, origin: string): string {
  if (MOBILE.has(app.type)) {
    return `// Swift, with OpenReplay's tracker
OpenReplay.shared.serverURL = "${origin}/ingest"
OpenReplay.shared.start(projectKey: "${app.appKey}", options: .defaults)`;
  }
  return `// HealthGuard SDKs take the server and the app key above. Without one:
const report = (error, errorType) =>
  fetch("${origin}/api/events/batch", {
    method: "POST",
    keepalive: true,
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      appKey: "${app.appKey}",
      events: [{
        eventId: "evt_" + Date.now() + Math.random(),
        type: "error",
        timestamp: Date.now(),
        platform: "${app.type}",
        errorType,
        message: String(error?.message ?? error),
        stack: error?.stack,
        pageUrl: location.href,
      }],
    }),
  });
addEventListener("error", (event) => report(event.error ?? event.message, "js"));
addEventListener("unhandledrejection", (event) => report(event.reason, "promise"));`;
}
