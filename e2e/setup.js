// These tests kill, pause and cut off real processes under short leases, on machines of any load. A test that fails is
// tried once more, and the first failure is printed: a guarantee that is broken fails twice, a slow machine once.
jest.retryTimes(1, { logErrorsBeforeRetry: true });
