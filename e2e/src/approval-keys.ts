import { ensureApprovalKeys } from '@larry/audit';
import { ensureJournalKey } from '@larry/coordinator';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/** The signing keys of this test process: runs are begun with the private half, workers verify with the public one. */
const folder = mkdtempSync(path.join(tmpdir(), 'larry-e2e-keys-'));
export const approvalKeys = ensureApprovalKeys(folder);

/** The key that the workers of this test process seal their journals with. */
export const journalKey = ensureJournalKey(path.join(folder, 'journal.key'));
