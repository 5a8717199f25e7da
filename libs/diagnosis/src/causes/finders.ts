import type { CauseFinder } from './cause';
import { applicationCauses, complaintsOf, dependencyCauses } from './running-dependencies';
import { databaseCauses } from './running-databases';
import { oomCauses } from './running-oom';
import { probeCauses } from './running-probes';
import { portConflictCauses, zeroReplicaCauses } from './running-settings';
import { configCauses } from './startup-config';
import { exitCauses, initCauses } from './startup-exits';
import { imageCauses } from './startup-images';

/** Every finder of causes; their order means nothing. */
export const causeFinders: readonly CauseFinder[] = [
  imageCauses,
  configCauses,
  exitCauses,
  initCauses,
  oomCauses,
  probeCauses,
  portConflictCauses,
  zeroReplicaCauses,
  databaseCauses,
  (scene) => dependencyCauses(scene, complaintsOf(scene)),
  applicationCauses,
];
