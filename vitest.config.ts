import { defineConfig } from 'vitest/config';
import { ROOT, suites } from './scripts/suites.mjs';

export default defineConfig({
  root: ROOT,
  test: {
    coverage: { provider: 'v8', include: ['src/**/*.ts'], reporter: ['text-summary', 'html', 'lcovonly'] },
    projects: suites().map((suite) => ({
      extends: true,
      test: {
        name: suite.name,
        include: suite.include,
        setupFiles: suite.setupFiles,
        globalSetup: suite.usesDist ? ['test/setup/compile.ts'] : [],
        testTimeout: suite.testMsMax,
        hookTimeout: suite.testMsMax,
        fileParallelism: !suite.isSerial,
      },
    })),
  },
});
