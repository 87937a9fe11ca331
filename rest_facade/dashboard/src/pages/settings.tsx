// How an app's events are taken and kept, who may see them, and what became of each of them.
import { useState } from "preact/hooks";
import { api, take, type App, type Schemas } from "../api/client";
import { exact } from "../format";
import { t } from "../i18n";
import { useQuery } from "../query";
import { go, paths } from "../router";
import { session } from "../session";
import { useAction } from "../ui/action";
import { Ago, Badge, Card, Copyable, Dialog, Field, Loaded, say, useTitle, type FormEvent } from "../ui/basics";
import { Ledger } from "../ui/ledger";

const PATTERNS = ["card", "token", "email", "ip"] as const;

interface Part {
  app: App;
  changed: () => void;
}

export function SettingsPage({ app, changed }: Part) {
  useTitle(t("settings"), app.name);
  return (
    <div class="columns">
      <div class="stack">
        <h1 class="sr">{`${app.name}: ${t("settings")}`}</h1>
        <General app={app} changed={changed} key={JSON.stringify(app.settings)} />
        <Key app={app} changed={changed} />
        {app.role === "owner" && <Delete app={app} changed={changed} />}
      </div>
      <div class="stack">
        <Members app={app} />
        <Ledger app={app} />
      </div>
    </div>
  );
}

const words = (text: string): string[] => text.split(/[\s,]+/).filter(Boolean);
const number = (text: string): number | undefined => (text.trim() === "" ? undefined : Number(text));

function General({ app, changed }: Part) {
  const { settings } = app;
  const [name, setName] = useState(app.name);
  const [retention, setRetention] = useState(String(settings.retentionDays ?? ""));
  const [rate, setRate] = useState(String(settings.rateLimitEventsPerS ?? ""));
  const [capture, setCapture] = useState(String(settings.captureRate ?? ""));
  const [origins, setOrigins] = useState(settings.allowedOrigins.join("\n"));
  const [scrubKeys, setScrubKeys] = useState(settings.scrubKeys.join("\n"));
  const [patterns, setPatterns] = useState<readonly string[]>(settings.scrubPatterns);
  const [addresses, setAddresses] = useState(settings.storeIpAddresses ?? false);
  const [calls, setCalls] = useState(settings.reportFailedNetworkCalls ?? false);
  const { busy, run } = useAction();
  const owner = app.role === "owner";

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const body: Schemas["AppUpdate"] = { name, updateMask: owner ? "name,settings" : "name" };
    if (owner) {
      body.settings = {
        retentionDays: number(retention),
        rateLimitEventsPerS: number(rate),
        captureRate: number(capture),
        reportFailedNetworkCalls: calls,
        allowedOrigins: words(origins),
        scrubKeys: words(scrubKeys),
        scrubPatterns: [...patterns],
        storeIpAddresses: addresses,
      };
    }
    await run(async () => {
      await take(api.PATCH("/api/apps/{id}", { params: { path: { id: app.id } }, body }));
      say(t("saved"));
      changed();
    });
  };
  return (
    <Card title={t("general")}>
      <form class="form" onSubmit={(event) => void submit(event)}>
        <Field label={t("name")}>
          <input class="input" required maxLength={255} disabled={app.role === "viewer"} value={name} onInput={(event) => setName(event.currentTarget.value)} />
        </Field>
        <fieldset class="form" disabled={!owner} style={{ border: 0, margin: 0, padding: 0 }}>
          <legend class="sr">{t("settings")}</legend>
          <Field label={t("retentionDays")} hint={t("retentionHint")}>
            <input class="input" type="number" min={1} max={3650} placeholder={t("serverDefault")} value={retention} onInput={(event) => setRetention(event.currentTarget.value)} />
          </Field>
          <Field label={t("rateLimit")} hint={t("rateLimitHint")}>
            <input class="input" type="number" min={0.1} max={1_000_000} step="any" placeholder={t("serverDefault")} value={rate} onInput={(event) => setRate(event.currentTarget.value)} />
          </Field>
          <Field label={t("captureRate")} hint={t("captureRateHint")}>
            <input class="input" type="number" min={0} max={100} placeholder="100" value={capture} onInput={(event) => setCapture(event.currentTarget.value)} />
          </Field>
          <label class="row">
            <input type="checkbox" checked={calls} onChange={(event) => setCalls(event.currentTarget.checked)} />
            {t("reportFailedCalls")}
          </label>
          <Field label={t("allowedOrigins")} hint={t("allowedOriginsHint")}>
            <textarea class="input" placeholder="https://shop.example" value={origins} onInput={(event) => setOrigins(event.currentTarget.value)} />
          </Field>
          <Field label={t("scrubKeys")} hint={t("scrubKeysHint")}>
            <textarea class="input" placeholder="iban" value={scrubKeys} onInput={(event) => setScrubKeys(event.currentTarget.value)} />
          </Field>
          <div class="row" role="group" aria-label={t("scrubPatterns")}>
            <span>{t("scrubPatterns")}</span>
            {PATTERNS.map((name) => (
              <label class="row" key={name}>
                <input type="checkbox" checked={patterns.includes(name)} onChange={(event) => setPatterns(event.currentTarget.checked ? [...patterns, name] : patterns.filter((one) => one !== name))} />
                {t(`pattern.${name}`)}
              </label>
            ))}
          </div>
          <label class="row">
            <input type="checkbox" checked={addresses} onChange={(event) => setAddresses(event.currentTarget.checked)} />
            {t("storeAddresses")}
          </label>
        </fieldset>
        {app.role !== "viewer" && (
          <button class="button main" type="submit" disabled={busy}>
            {t("save")}
          </button>
        )}
        {!owner && <p class="soft small">{t("ownersOnly")}</p>}
      </form>
    </Card>
  );
}

function Key({ app, changed }: Part) {
  const [asking, setAsking] = useState(false);
  const [rotated, setRotated] = useState<Schemas["RotatedAppKey"]>();
  const { busy, run } = useAction();
  const rotate = () =>
    run(async () => {
      setRotated(await take(api.POST("/api/apps/{id}/rotate-key", { params: { path: { id: app.id } } })));
      setAsking(false);
      changed();
    });
  return (
    <Card title={t("appKey")} aside={<a class="small" href={paths.app(app.id, "setup")}>{t("setup")}</a>}>
      <div class="stack tight">
        <Copyable text={app.appKey} />
        <span class="soft small">{`${t("projectId")}: ${app.projectId}`}</span>
        {rotated && <p class="notice good">{t("keyRotated", { key: rotated.previousAppKey, until: exact(rotated.previousAppKeyExpiresAt) })}</p>}
        {app.role === "owner" && (
          <div>
            <button class="button" type="button" onClick={() => setAsking(true)}>
              {t("rotateKey")}
            </button>
          </div>
        )}
      </div>
      {asking && (
        <Dialog title={t("rotateKey")} onClose={() => setAsking(false)}>
          <p>{t("rotateKeyHint")}</p>
          <div class="row apart">
            <button class="button" type="button" onClick={() => setAsking(false)}>
              {t("cancel")}
            </button>
            <button class="button main" type="button" disabled={busy} onClick={() => void rotate()}>
              {t("rotateKey")}
            </button>
          </div>
        </Dialog>
      )}
    </Card>
  );
}

function Delete({ app, changed }: Part) {
  const [typed, setTyped] = useState<string | null>(null);
  const { busy, run } = useAction();
  const remove = (event: FormEvent) => {
    event.preventDefault();
    void run(async () => {
      await take(api.DELETE("/api/apps/{id}", { params: { path: { id: app.id } } }));
      say(t("appDeleted", { name: app.name }));
      changed();
      go("/");
    });
  };
  return (
    <Card title={t("deleteApp")}>
      <div class="stack tight">
        <p class="soft">{t("deleteHint")}</p>
        <div>
          <button class="button danger" type="button" onClick={() => setTyped("")}>
            {t("deleteApp")}
          </button>
        </div>
      </div>
      {typed !== null && (
        <Dialog title={t("deleteApp")} onClose={() => setTyped(null)}>
          <form class="form" style={{ padding: 0 }} onSubmit={remove}>
            <Field label={t("typeToDelete", { name: app.name })}>
              <input class="input" value={typed} onInput={(event) => setTyped(event.currentTarget.value)} />
            </Field>
            <div class="row apart">
              <button class="button" type="button" onClick={() => setTyped(null)}>
                {t("cancel")}
              </button>
              <button class="button danger" type="submit" disabled={busy || typed.trim() !== app.name.trim()}>
                {t("deleteApp")}
              </button>
            </div>
          </form>
        </Dialog>
      )}
    </Card>
  );
}

function Members({ app }: { app: App }) {
  const [email, setEmail] = useState("");
  const [role, setRole] = useState<"viewer" | "editor">("viewer");
  const { busy, run } = useAction();
  const me = session.get()?.userId;
  const path = { appId: app.id };
  const found = useQuery(`members ${app.id}`, async (signal) => (await take(api.GET("/api/apps/{appId}/members", { params: { path }, signal }))).members, 15_000);
  const give = (who: string, as: "viewer" | "editor") =>
    run(async () => {
      await take(api.POST("/api/apps/{appId}/members", { params: { path }, body: { email: who, role: as } }));
      say(t("saved"));
      found.reload();
    });
  const remove = (userId: string) =>
    run(async () => {
      await take(api.DELETE("/api/apps/{appId}/members/{userId}", { params: { path: { ...path, userId } } }));
      say(t("saved"));
      if (userId === me) location.assign("/");
      found.reload();
    });
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (await give(email, role)) setEmail("");
  };
  return (
    <Card title={t("members")} flush>
      <Loaded from={found} bones={2}>
        {(members) => (
          <div class="scroll-x">
            <table>
              <tbody>
                {members.map((member) => (
                  <tr key={member.userId}>
                    <td>
                      {member.email}
                      <div class="soft small"><Ago at={member.createdAt} /></div>
                    </td>
                    <td>
                      {app.role === "owner" && member.role !== "owner" ? (
                        <select class="select" aria-label={t("roleOf", { name: member.email })} value={member.role} onChange={(event) => void give(member.email, event.currentTarget.value as "viewer" | "editor")}>
                          <option value="viewer">{t("role.viewer")}</option>
                          <option value="editor">{t("role.editor")}</option>
                        </select>
                      ) : (
                        <Badge>{t(`role.${member.role}`)}</Badge>
                      )}
                    </td>
                    <td class="num">
                      {member.role !== "owner" && (app.role === "owner" || member.userId === me) && (
                        <button class="button" type="button" disabled={busy} onClick={() => void remove(member.userId)}>
                          {t(member.userId === me ? "leave" : "remove")}
                        </button>
                      )}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
        )}
      </Loaded>
      {app.role === "owner" && (
        <form class="row" style={{ padding: "14px", borderTop: "1px solid var(--line)" }} onSubmit={(event) => void submit(event)}>
          <input class="input grow" style={{ width: "auto", flexBasis: "180px" }} type="email" required aria-label={t("email")} placeholder={t("emailOfUser")} value={email} onInput={(event) => setEmail(event.currentTarget.value)} />
          <select class="select" style={{ width: "auto" }} aria-label={t("role")} value={role} onChange={(event) => setRole(event.currentTarget.value as "viewer" | "editor")}>
            <option value="viewer">{t("role.viewer")}</option>
            <option value="editor">{t("role.editor")}</option>
          </select>
          <button class="button" type="submit" disabled={busy}>
            {t("addMember")}
          </button>
        </form>
      )}
    </Card>
  );
}
