import 'reflect-metadata';
import { readEnvironment, runService } from '@larry/service';
import { metaEnvironmentSchema } from './environment';
import { startMetaCoordinator } from './start';

runService(async () => {
  await startMetaCoordinator(readEnvironment(metaEnvironmentSchema));
});
