import type { PlaybookLibrary } from '@larry/playbook';
import { developmentPlaybooks } from '@larry/playbooks-development';
import { infrastructurePlaybooks } from '@larry/playbooks-infrastructure';
import { securityPlaybooks } from '@larry/playbooks-security';

/** Every domain's playbooks, in the order of the Larrys. */
export const playbookLibraries: PlaybookLibrary[] = [infrastructurePlaybooks, securityPlaybooks, developmentPlaybooks];
