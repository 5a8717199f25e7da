import type { Scene } from '../graph/edges';
import { admissionCauses } from './admission';
import { denialCauses } from './admission-denials';
import type { CauseFinder } from './cause';
import { nodeHealthCauses } from './infrastructure-nodes';
import { podNetworkCauses } from './infrastructure-network';
import { metricCauses, schedulerCauses } from './infrastructure-signals';
import { pgadminCauses } from './pgadmin';
import { gatewayCauses } from './routing-gateways';
import { nameCauses } from './routing-names';
import { policyCauses } from './routing-policies';
import { serviceCauses } from './routing-services';
import { databaseCauses } from './running-databases';
import { applicationCauses, complaintsOf, dependencyCauses } from './running-dependencies';
import { endingCauses } from './running-endings';
import { oomCauses } from './running-oom';
import { probeCauses } from './running-probes';
import { portConflictCauses, zeroReplicaCauses } from './running-settings';
import { nodeCauses } from './scheduling-nodes';
import { missingClaimCauses, provisioningCauses } from './scheduling-claims';
import { claimCauses } from './scheduling-volumes';
import { configCauses } from './startup-config';
import { exitCauses, initCauses } from './startup-exits';
import { imageCauses } from './startup-images';
import { platformCauses } from './startup-platform';
import { volumeCauses } from './startup-volumes';

/** What a running cluster shows; their order means nothing. */
const runtimeFinders: readonly CauseFinder[] = [
  admissionCauses,
  denialCauses,
  nodeCauses,
  claimCauses,
  missingClaimCauses,
  provisioningCauses,
  imageCauses,
  platformCauses,
  volumeCauses,
  configCauses,
  exitCauses,
  initCauses,
  oomCauses,
  probeCauses,
  portConflictCauses,
  nodeHealthCauses,
  podNetworkCauses,
  schedulerCauses,
  metricCauses,
  endingCauses,
  applicationCauses,
];

/** What objects show by themselves, running or not. */
const staticFinders: readonly CauseFinder[] = [serviceCauses, gatewayCauses, pgadminCauses];

/** Everything that anything proposes for a scene. */
export function candidatesOf(scene: Scene) {
  const complaints = complaintsOf(scene);
  return [
    ...staticFinders.flatMap((find) => find(scene)),
    ...zeroReplicaCauses(scene, complaints),
    ...nameCauses(scene, complaints),
    ...(scene.facts.runtime ? [...runtimeFinders.flatMap((find) => find(scene)), ...databaseCauses(scene, complaints), ...policyCauses(scene, complaints), ...dependencyCauses(scene, complaints)] : []),
  ];
}
