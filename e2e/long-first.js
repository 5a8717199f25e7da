// Jest begins with the files that took longest the last time; in a fresh clone, where it knows of none, with the largest. These
// take more than a minute each and are small: begun last, they would run while the other processors have nothing to do.
const Sequencer = require('@jest/test-sequencer').default;

const long = ['try-cluster', 'trouble', 'repair', 'convergence', 'operator'].map((name) => `/${name}.spec.ts`);
const rank = ({ path }) => long.findIndex((name) => path.endsWith(name)) + 1 || long.length + 1;

module.exports = class LongFirst extends Sequencer {
  sort(tests) {
    return super.sort(tests).sort((a, b) => rank(a) - rank(b));
  }
};
