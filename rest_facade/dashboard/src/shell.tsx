// What surrounds every page: the bar, who is signed in, the pages of an app, and whether the collector answers.
import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { api, reachable, take, type App } from "./api/client";
import { chooseLanguage, language, t, type Key } from "./i18n";
import { lazy } from "./lazy";
import { AppsPage } from "./pages/apps";
import { IssuePage } from "./pages/issue";
import { IssuesPage } from "./pages/issues";
import { OverviewPage } from "./pages/overview";
import { SignInPage } from "./pages/signin";
import { useQuery } from "./query";
import { go, here, paths, segments, usePlace } from "./router";
import { session } from "./session";
import { useStore } from "./store";
import { nextTheme, theme } from "./theme";
import { Empty, Loaded, Toasts, useTitle } from "./ui/basics";

const SessionsPage = lazy(async () => (await import("./pages/sessions")).SessionsPage);
const PlayerPage = lazy(async () => (await import("./pages/player")).PlayerPage);
const SettingsPage = lazy(async () => (await import("./pages/settings")).SettingsPage);
const SetupPage = lazy(async () => (await import("./pages/setup")).SetupPage);
const AccountPage = lazy(async () => (await import("./pages/account")).AccountPage);

export function Shell() {
  useStore(language);
  const user = useStore(session);
  const place = usePlace();
  const [first] = segments(place.path);
  const atTheDoor = first === "login" || first === "register";

  useEffect(() => {
    if (!user && !atTheDoor) {
      const back = place.path === "/" ? "" : `?next=${encodeURIComponent(place.path + location.search)}`;
      go(`/login${back}`, { replace: true });
    }
    if (user && atTheDoor) go(nextPlace(), { replace: true });
  }, [user, atTheDoor]);

  if (atTheDoor) {
    return (
      <>
        <Weather />
        <SignInPage register={first === "register"} />
        <Toasts />
      </>
    );
  }
  return user ? <Inside key={user.userId} path={segments(place.path)} email={user.email} /> : null;
}

// Where sign-in leads: only to addresses of our own.
function nextPlace(): string {
  const next = here().query.get("next") ?? "/";
  return /^\/(?![/\\])/.test(next) ? next : "/";
}

function Inside({ path, email }: { path: string[]; email: string }) {
  const apps = useQuery("apps", async (signal) => (await take(api.GET("/api/apps", { params: { query: { pageSize: 1000 } }, signal }))).apps);
  const app = path[0] === "apps" ? apps.data?.find((one) => one.id === path[1]) : undefined;
  const main = useRef<HTMLElement>(null);
  const page = path.join("/");
  const before = useRef(page);
  useEffect(() => {
    if (before.current !== page) main.current?.focus({ preventScroll: true });
    before.current = page;
  }, [page]);

  return (
    <>
      <a class="button skip" href="#main" onClick={(event) => { event.preventDefault(); main.current?.focus(); }}>
        {t("skipToContent")}
      </a>
      <header class="top">
        <div class="bar">
          <Brand />
          {app && <Switcher apps={apps.data ?? []} app={app} page={path[2] ?? ""} />}
          <span class="grow" />
          <LanguageSwitch />
          <ThemeSwitch />
          <a class="button quiet" href="/account" aria-current={path[0] === "account" ? "page" : undefined}>
            <span class="email">{email}</span>
            <span class="sr">{t("account")}</span>
            <Person />
          </a>
        </div>
        {app ? <Tabs app={app} page={path[2] ?? ""} /> : path[0] === "apps" && !apps.data && <div class="tabs" aria-hidden="true"><a>&nbsp;</a></div>}
      </header>
      <Weather />
      <main id="main" tabIndex={-1} ref={main} class="page">
        {path[0] === "account" ? (
          <AccountPage />
        ) : path[0] !== "apps" ? (
          <AppsPage apps={apps} />
        ) : (
          <Loaded from={apps} bones={6} height={40}>
            {() => (app ? <AppPage key={app.id} app={app} path={path.slice(2)} changed={apps.reload} /> : <NotFound />)}
          </Loaded>
        )}
      </main>
      <Toasts />
    </>
  );
}

function AppPage({ app, path, changed }: { app: App; path: string[]; changed: () => void }) {
  const [page, id, more] = path;
  if (more !== undefined) return <NotFound />;
  if (page === undefined) return <OverviewPage app={app} />;
  if (page === "issues") return id === undefined ? <IssuesPage app={app} /> : <IssuePage key={id} app={app} id={id} />;
  if (page === "sessions") return id === undefined ? <SessionsPage app={app} /> : <PlayerPage key={id} app={app} id={id} />;
  if (page === "settings" && id === undefined) return <SettingsPage app={app} changed={changed} />;
  if (page === "setup" && id === undefined) return <SetupPage app={app} />;
  return <NotFound />;
}

function NotFound() {
  useTitle(t("notFound"));
  return (
    <Empty title={t("notFound")}>
      <p>{t("notFoundWhy")}</p>
      <a class="button" href="/">
        {t("toYourApps")}
      </a>
    </Empty>
  );
}

function Brand() {
  return (
    <a class="brand" href="/" aria-label={`HealthGuard – ${t("toYourApps")}`}>
      <svg viewBox="0 0 32 32" aria-hidden="true">
        <path d="M16 2 28 6v9c0 8-5 13-12 15C9 28 4 23 4 15V6z" fill="var(--accent)" />
        <path d="M8 16h4l2-5 4 10 2-5h4" fill="none" stroke="var(--on-accent)" stroke-width="2.4" stroke-linecap="round" stroke-linejoin="round" />
      </svg>
      <span>HealthGuard</span>
    </a>
  );
}

function Person() {
  return (
    <svg viewBox="0 0 20 20" width="18" height="18" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="1.6">
      <circle cx="10" cy="7" r="3.2" />
      <path d="M3.5 17c.8-3.4 3.3-5 6.5-5s5.7 1.6 6.5 5" />
    </svg>
  );
}

function Switcher({ apps, app, page }: { apps: readonly App[]; app: App; page: string }) {
  return (
    <select
      class="select switcher"
      aria-label={t("app")}
      value={app.id}
      onChange={(event) => go(paths.app(event.currentTarget.value, page))}
    >
      {apps.map((one) => (
        <option value={one.id} key={one.id}>
          {one.name}
        </option>
      ))}
    </select>
  );
}

const PAGES: readonly [string, Key][] = [
  ["", "overview"],
  ["issues", "issues"],
  ["sessions", "sessions"],
  ["settings", "settings"],
];

function Tabs({ app, page }: { app: App; page: string }) {
  return (
    <nav class="tabs" aria-label={app.name}>
      {PAGES.map(([name, title]) => (
        <a href={paths.app(app.id, name)} aria-current={name === page ? "page" : undefined} key={name}>
          {t(title)}
        </a>
      ))}
    </nav>
  );
}

function LanguageSwitch() {
  const other = useStore(language) === "en" ? "zh" : "en";
  return (
    <button class="button quiet" type="button" lang={other} onClick={() => void chooseLanguage(other)}>
      {other === "zh" ? "中文" : "English"}
    </button>
  );
}

function ThemeSwitch() {
  const chosen = useStore(theme);
  const name = t(`theme.${chosen}`);
  return (
    <button class="button quiet" type="button" onClick={nextTheme} title={name} aria-label={`${t("theme")}: ${name}`}>
      <span aria-hidden="true">{{ system: "◐", light: "☀", dark: "☾" }[chosen]}</span>
    </button>
  );
}

function Weather(): ComponentChildren {
  return useStore(reachable) ? null : (
    <div class="down" role="alert">
      {t("serverAway")}
    </div>
  );
}
