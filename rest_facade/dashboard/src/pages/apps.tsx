// The caller's apps and how each of them does.
import { useState } from "preact/hooks";
import { api, take, type App } from "../api/client";
import { count, HOUR, percent, short } from "../format";
import { known, t } from "../i18n";
import { useQuery, type Query } from "../query";
import { go, paths } from "../router";
import { useAction } from "../ui/action";
import { Badge, Card, Dialog, Empty, Failed, Field, Loaded, useTitle, type FormEvent, type Tone } from "../ui/basics";
import { Spark } from "../ui/spark";

const APP_TYPES = ["web", "ios", "android", "wechat-miniprogram", "alipay-miniprogram", "flutter", "uni-app", "react-native", "other"] as const;
const REFRESH_MS = 15_000;

export function AppsPage({ apps }: { apps: Query<App[]> }) {
  const [creating, setCreating] = useState(false);
  useTitle(t("apps"));
  return (
    <>
      <div class="row apart">
        <h1>{t("apps")}</h1>
        <button class="button main" type="button" onClick={() => setCreating(true)}>
          {t("newApp")}
        </button>
      </div>
      <Loaded from={apps} bones={3} height={150}>
        {(found) =>
          found.length === 0 ? (
            <Card>
              <Empty title={t("noApps")}>
                <p>{t("noAppsWhy")}</p>
                <button class="button main" type="button" onClick={() => setCreating(true)}>
                  {t("newApp")}
                </button>
              </Empty>
            </Card>
          ) : (
            <div class="apps">
              {found.map((app) => (
                <AppCard app={app} key={app.id} />
              ))}
            </div>
          )
        }
      </Loaded>
      {creating && (
        <NewApp
          onClose={() => setCreating(false)}
          onCreated={(app) => {
            apps.reload();
            go(paths.app(app.id, "setup"));
          }}
        />
      )}
    </>
  );
}

interface Health {
  tone: Tone;
  text: string;
}

// Of 100 events, how many are errors or failed requests: says the same at ten events and at a million.
export function healthOf(events: number, failures: number): Health {
  if (events === 0) return { tone: "", text: t("health.quiet") };
  const share = failures / events;
  const tone = share < 0.02 ? "good" : share < 0.1 ? "warn" : "bad";
  return { tone, text: t(`health.${tone}`, { share: percent(share) }) };
}

function AppCard({ app }: { app: App }) {
  const day = useQuery(
    `day ${app.appKey}`,
    (signal) => {
      const start = Math.floor(Date.now() / HOUR) * HOUR - 23 * HOUR;
      return take(api.GET("/api/overview", { params: { query: { appKey: app.appKey, start, bucket: "hour" } }, signal }));
    },
    REFRESH_MS,
  );
  const totals = day.data?.totals;
  const failures = totals ? totals.errors + totals.failedRequests : 0;
  const health = totals ? healthOf(totals.events, failures) : undefined;
  const buckets = day.data?.buckets ?? [];
  return (
    <a class="card app" href={paths.app(app.id)}>
      <div class="line">
        <h2 class="grow">{app.name}</h2>
        <Badge>{known(`type.${app.type}`, app.type)}</Badge>
      </div>
      {day.error && !day.data ? (
        <Failed error={day.error} />
      ) : (
        <>
          <div class="row small" style={{ minHeight: "21px" }}>
            {health && (
              <>
                <span class={`dot ${health.tone}`} aria-hidden="true" />
                <span>{health.text}</span>
              </>
            )}
          </div>
          <Spark values={buckets.map((bucket) => bucket.events)} failures={buckets.map((bucket) => bucket.errors + bucket.failedRequests)} />
          <dl>
            <Number name={t("events")} value={totals?.events} />
            <Number name={t("errors")} value={totals?.errors} />
            <Number name={t("users")} value={totals?.affectedUsers} />
            <Number name={t("issues")} value={totals?.issues} />
          </dl>
          <span class="soft small">{t("last24h")}</span>
        </>
      )}
    </a>
  );
}

function Number({ name, value }: { name: string; value: number | undefined }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd title={value === undefined ? undefined : count(value)}>{value === undefined ? "–" : short(value)}</dd>
    </div>
  );
}

function NewApp({ onClose, onCreated }: { onClose: () => void; onCreated: (app: App) => void }) {
  const [name, setName] = useState("");
  const [type, setType] = useState<string>("web");
  const { busy, run } = useAction();
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    await run(async () => onCreated((await take(api.POST("/api/apps", { body: { name, type } }))).app));
  };
  return (
    <Dialog title={t("newApp")} onClose={onClose}>
      <form class="form" style={{ padding: 0 }} onSubmit={(event) => void submit(event)}>
        <Field label={t("name")}>
          <input class="input" required maxLength={255} value={name} onInput={(event) => setName(event.currentTarget.value)} />
        </Field>
        <Field label={t("appType")}>
          <select class="select" value={type} onChange={(event) => setType(event.currentTarget.value)}>
            {APP_TYPES.map((one) => (
              <option value={one} key={one}>
                {t(`type.${one}`)}
              </option>
            ))}
          </select>
        </Field>
        <div class="row apart">
          <button class="button" type="button" onClick={onClose}>
            {t("cancel")}
          </button>
          <button class="button main" type="submit" disabled={busy}>
            {t("create")}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
