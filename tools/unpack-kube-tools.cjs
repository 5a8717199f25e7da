// Before any of the libraries' tests (jest.config.js): the real helm and kubectl are unpacked, so that no test is skipped
// because another that would have unpacked them has not run yet.
const { hasKubeTools } = require('../libs/simulation/src/kube-tools');

module.exports = () => {
  hasKubeTools();
};
