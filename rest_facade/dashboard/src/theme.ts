// Light or dark: as the system says, or as chosen here.
import { kept, store } from "./store";

export type Theme = "system" | "light" | "dark";

const THEMES: readonly Theme[] = ["system", "light", "dark"];
const found = kept.read("theme") as Theme | null;

export const theme = store<Theme>(found && THEMES.includes(found) ? found : "system");

// Changes whenever colours do; charts are drawn anew.
export const palette = store(0);

export function nextTheme(): void {
  const next = THEMES[(THEMES.indexOf(theme.get()) + 1) % THEMES.length]!;
  kept.write("theme", next);
  theme.set(next);
}

export function startTheme(): void {
  const apply = () => {
    const chosen = theme.get();
    document.documentElement.style.colorScheme = chosen === "system" ? "light dark" : chosen;
    palette.set(palette.get() + 1);
  };
  theme.watch(apply);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", apply);
  apply();
}

// What a custom property is worth now, for canvases.
export function colour(name: string): string {
  const probe = document.createElement("span");
  probe.style.color = `var(--${name})`;
  document.body.append(probe);
  const value = getComputedStyle(probe).color;
  probe.remove();
  return value;
}
