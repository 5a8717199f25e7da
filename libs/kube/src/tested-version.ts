import { printable } from '@larry/contracts';
import type { SourceInfo } from './reader';

/** The oldest Kubernetes that the whole of Larry is tested with, minor version of 1. */
const oldestTested = 35;
/** Below it the charts do not install: no ValidatingAdmissionPolicy of v1, and Jobs that count pods otherwise. */
const oldestInstalled = 30;

/** What is to be said of an API server older than the versions tested: one sentence, or none. Pure. */
export function versionWarnings({ serverVersion }: Pick<SourceInfo, 'serverVersion'>): string[] {
  const minor = Number(/^v?1\.(\d+)/.exec(serverVersion ?? '')?.[1] ?? Number.NaN);
  if (!(minor < oldestTested)) return [];
  const version = printable(serverVersion ?? '', 60);
  if (minor < oldestInstalled) return [`the API server is ${version}, and Larry is tested with 1.${oldestTested} and newer: reading works as far as it serves the kinds; the charts need 1.${oldestInstalled}, so upgrade the cluster, or run Larry on this machine`];
  return [`the API server is ${version}, older than 1.${oldestTested}, the oldest that Larry is tested with: begin with mode observe, and upgrade the cluster when you can`];
}
