/** Exit codes of every command; shown at the end of `larry --help`. */
export const exitCodes = { ok: 0, found: 1, usage: 2, unreachable: 3, incomplete: 4, interrupted: 130 } as const;
