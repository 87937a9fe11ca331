// Sign in, or make an account.
import { useState } from "preact/hooks";
import { api, take } from "../api/client";
import { clientName } from "../client_name";
import { t } from "../i18n";
import { expired, signIn } from "../session";
import { useStore } from "../store";
import { Field, told, useTitle, type FormEvent } from "../ui/basics";

export function SignInPage({ register }: { register: boolean }) {
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const [busy, setBusy] = useState(false);
  const [fault, setFault] = useState("");
  const wasExpired = useStore(expired);
  const title = t(register ? "createAccount" : "signIn");
  useTitle(title);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setFault("");
    try {
      const body = { email, password, clientName: clientName() };
      const { token, user } = await take(register ? api.POST("/api/auth/register", { body }) : api.POST("/api/auth/login", { body }));
      signIn({ token, userId: user.id, email: user.email });
    } catch (error) {
      setFault(told(error));
      setBusy(false);
    }
  };

  return (
    <main class="signin">
      <div class="card">
        <div class="stack tight">
          <p class="soft">HealthGuard</p>
          <h1>{title}</h1>
        </div>
        {wasExpired && !fault && <p class="notice warn">{t("sessionExpired")}</p>}
        {fault && (
          <p class="notice bad" role="alert">
            {fault}
          </p>
        )}
        <form class="form" onSubmit={(event) => void submit(event)} noValidate>
          <Field label={t("email")}>
            <input class="input" type="email" name="email" autoComplete="username" required autoFocus value={email} onInput={(event) => setEmail(event.currentTarget.value)} />
          </Field>
          <Field label={t("password")} hint={register ? t("passwordHint") : undefined}>
            <input
              class="input"
              type="password"
              name="password"
              autoComplete={register ? "new-password" : "current-password"}
              required
              value={password}
              onInput={(event) => setPassword(event.currentTarget.value)}
            />
          </Field>
          <button class="button main" type="submit" disabled={busy}>
            {title}
          </button>
        </form>
        <p class="soft small">
          {t(register ? "haveAccount" : "noAccount")}{" "}
          <a href={`${register ? "/login" : "/register"}${location.search}`}>{t(register ? "signIn" : "createAccount")}</a>
        </p>
      </div>
    </main>
  );
}
