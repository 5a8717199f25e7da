import type { TypeTable } from '../type-table-shape';
import { CORE_TYPES } from './core-types';
import { KINDS } from './kinds';
import { OTHER_TYPES } from './other-types';

/** Facts of the served API: which fields each type holds, what sort of list each is, how Go prints it when empty. */
export const TYPE_TABLE: TypeTable = { kinds: KINDS, types: { ...CORE_TYPES, ...OTHER_TYPES } };
