// Reads stack traces as the engines of browsers and phones print them.

export interface Frame {
  text: string;
  // Written by the app, as far as its place tells.
  own: boolean;
}

const FRAME = /^\s*(?:at\s|#\d+\s|\d+\s+\S+\s+0x|.*@.*:\d+)/;
const FOREIGN = /node_modules|\/vendors?[.~-]|\bpolyfills?\b|webpack\/(?:runtime|bootstrap)|<anonymous>|\[native code\]|native code|extension:\/\/|cdn\.|unpkg|WASubContext|WAService|^\s*\d+\s+(?:UIKit\w*|CoreFoundation|libsystem\w*|libdyld\w*|libobjc\S*|Foundation|GraphicsServices|dyld|SwiftUI|QuartzCore)\b|\bat (?:java|javax|kotlin|android|androidx|com\.android)\./i;

// Enough to tell a frame by; the patterns take the square of a line's length at worst.
const JUDGED = 400;

export function frames(stack: string): Frame[] {
  return stack
    .split("\n")
    .map((line) => line.trimEnd())
    .filter(Boolean)
    .map((text) => ({ text, own: isOwn(text.slice(0, JUDGED)) }));
}

const isOwn = (line: string): boolean => !FRAME.test(line) || !FOREIGN.test(line);

// Runs of frames, own ones and foreign ones in turn.
export function runs(all: readonly Frame[]): Frame[][] {
  const found: Frame[][] = [];
  for (const frame of all) {
    const last = found[found.length - 1];
    if (last && last[0]!.own === frame.own) last.push(frame);
    else found.push([frame]);
  }
  return found;
}
