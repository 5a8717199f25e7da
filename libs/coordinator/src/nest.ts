// What needs Nest: workers and the CLI, which have none, do not pay for loading it.
export { startLarryService, type LarryServiceOptions, type RunningLarry } from './larry-service';
