import {
  definePart,
  definePipeline,
  defineStep,
  downloadStep,
  htmlFile,
  jsonFile,
  parquetFile,
} from 'quotidien/kit';

/** What is fetched, what is made of it, and when: data, no code. */

const LEVELS = definePart({
  id: 'levels',
  title: 'Water level of every hour',
  source: 'http',
  // Asked for an hour after the day; again while the publisher may still correct it.
  expectedAfter: '1 hour',
  freshFor: {
    empty: '1 hour',
    provisional: '6 hours',
    consolidated: '30 days',
    definitive: 'ever',
  },
});

/**
 * The one rule that the levels are held to. A failed check of severity `hold` asks a person before
 * the day goes on.
 */
export const PLAUSIBLE = {
  id: 'plausible-level',
  title: 'a level is between −2 and 15 metres',
  severity: /** @type {const} */ ('hold'),
};

export const definition = definePipeline({
  name: 'tides',
  title: 'Water levels of a harbour',
  zone: 'Europe/Paris',
  since: '2024-01-01',
  publication: {
    expectedAfter: '1 hour',
    pollEvery: '30 minutes',
    cutOffAfter: '3 days',
    finalAtCutOff: true,
  },
  parts: [LEVELS],
  steps: [
    downloadStep(LEVELS, 'slices/tides/levels', { required: true }),
    defineStep({
      id: 'transform/levels',
      title: 'One typed row per hour',
      inputs: [{ name: 'levels', step: 'download/levels', output: 'slice' }],
      outputs: { core: parquetFile('core/tides/levels', { keyColumns: ['hour_at'] }) },
      checks: [PLAUSIBLE],
      required: true,
    }),
    defineStep({
      id: 'metrics/day',
      title: 'The highest, lowest and mean level of the day',
      inputs: [{ name: 'core', step: 'transform/levels', output: 'core' }],
      outputs: { metrics: jsonFile('metrics/tides/day') },
      required: true,
    }),
    defineStep({
      id: 'report/day',
      title: 'The day as a page',
      inputs: [{ name: 'metrics', step: 'metrics/day', output: 'metrics' }],
      outputs: {
        page: htmlFile('reports/tides/page', { publishAs: 'reports/tides/{scope}.html' }),
      },
      required: true,
    }),
  ],
  schedules: [{ id: 'daily', title: 'Yesterday', cron: '0 6 * * *' }],
});
