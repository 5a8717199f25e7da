import 'reflect-metadata';
import { readEnvironment } from '@larry/service';
import { runService } from '@larry/service/nest';
import { metaEnvironmentSchema } from './environment';
import { startMetaCoordinator } from './start';

runService(async () => {
  await startMetaCoordinator(readEnvironment(metaEnvironmentSchema));
});
