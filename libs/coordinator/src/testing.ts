export { aPlanOf } from './builders';
export { startLarryForTest, type LarryUnderTest } from './larry-under-test';
