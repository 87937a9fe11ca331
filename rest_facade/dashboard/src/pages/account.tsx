// The caller's own account: where it is signed in, and its password.
import { useState } from "preact/hooks";
import { api, take, type Schemas } from "../api/client";
import { clientName } from "../client_name";
import { t } from "../i18n";
import { useQuery } from "../query";
import { session, signIn, signOut } from "../session";
import { useStore } from "../store";
import { useAction } from "../ui/action";
import { Ago, Badge, Card, Field, Loaded, say, useTitle, type FormEvent } from "../ui/basics";

export function AccountPage() {
  useTitle(t("account"));
  const user = useStore(session);
  const { busy, run } = useAction();
  const leave = () =>
    run(async () => {
      await take(api.POST("/api/auth/logout"));
      signOut();
    });
  return (
    <div class="stack" style={{ maxWidth: "640px" }}>
      <h1>{t("account")}</h1>
      <Card>
        <div class="row apart">
          <span>{user?.email}</span>
          <button class="button" type="button" disabled={busy} onClick={() => void leave()}>
            {t("signOut")}
          </button>
        </div>
      </Card>
      <Password />
      <Sessions key={user?.token} />
      <p class="soft small">
        <a href="/docs">{t("apiDocs")}</a>
      </p>
    </div>
  );
}

function Sessions() {
  const { busy, run } = useAction();
  const found = useQuery("sign-ins", async (signal) => (await take(api.GET("/api/auth/sessions", { signal }))).sessions, 15_000);
  const end = (one: Schemas["LoginSession"]) =>
    run(async () => {
      await take(api.DELETE("/api/auth/sessions/{id}", { params: { path: { id: one.id } } }));
      say(t("sessionEnded"));
      found.reload();
    });
  const endOthers = () =>
    run(async () => {
      await take(api.DELETE("/api/auth/sessions"));
      say(t("sessionEnded"));
      found.reload();
    });
  return (
    <Card
      title={t("signedInAt")}
      aside={
        (found.data?.length ?? 0) > 1 && (
          <button class="button" type="button" disabled={busy} onClick={() => void endOthers()}>
            {t("endOthers")}
          </button>
        )
      }
      flush
    >
      <Loaded from={found} bones={2}>
        {(sessions) => (
          <table>
            <tbody>
              {sessions.map((one) => (
                <tr key={one.id}>
                  <td>{one.clientName || t("unnamedClient")}</td>
                  <td>
                    <Ago at={one.createdAt} />
                  </td>
                  <td class="num">
                    {one.current ? (
                      <Badge tone="good">{t("thisSession")}</Badge>
                    ) : (
                      <button class="button" type="button" disabled={busy} onClick={() => void end(one)}>
                        {t("end")}
                      </button>
                    )}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        )}
      </Loaded>
    </Card>
  );
}

function Password() {
  const [current, setCurrent] = useState("");
  const [next, setNext] = useState("");
  const { busy, run } = useAction();
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    await run(async () => {
      const body = { currentPassword: current, newPassword: next, clientName: clientName() };
      const { token, user } = await take(api.POST("/api/auth/password", { body }));
      signIn({ token, userId: user.id, email: user.email });
      say(t("passwordChanged"));
      setCurrent("");
      setNext("");
    });
  };
  return (
    <Card title={t("changePassword")}>
      <form class="form" onSubmit={(event) => void submit(event)}>
        <Field label={t("currentPassword")}>
          <input class="input" type="password" autoComplete="current-password" required value={current} onInput={(event) => setCurrent(event.currentTarget.value)} />
        </Field>
        <Field label={t("newPassword")} hint={t("changePasswordHint")}>
          <input class="input" type="password" autoComplete="new-password" required value={next} onInput={(event) => setNext(event.currentTarget.value)} />
        </Field>
        <button class="button main" type="submit" disabled={busy}>
          {t("changePassword")}
        </button>
      </form>
    </Card>
  );
}
