import type { Dataset } from '../kit/index.ts';
import { CITY_DASHBOARDS } from './answers/dashboards.ts';
import { DAY_TABLES } from './answers/day-tables.ts';
import { PAGE_QUESTIONS } from './answers/page-questions.ts';
import { CITY_QUESTIONS } from './answers/questions.ts';
import { STUDY_QUESTIONS } from './answers/study-questions.ts';
import { STUDY_TABLES } from './answers/study-tables.ts';
import { CITY_TABLES } from './answers/tables.ts';
import { cityflowDefinition } from './definition.ts';
import { metricsBikes } from './metrics/bikes.ts';
import { metricsCounts } from './metrics/counts.ts';
import { metricsDigest } from './metrics/digest.ts';
import { metricsHistory } from './metrics/history.ts';
import { metricsNetwork } from './metrics/network.ts';
import { metricsTraffic } from './metrics/traffic.ts';
import { metricsUsual } from './metrics/usual.ts';
import { metricsWeather } from './metrics/weather.ts';
import { metricsWorks } from './metrics/works.ts';
import { CITY_RAW_NAMES } from './raw-layout.ts';
import { recogniseFile } from './recognise.ts';
import { reportDaily, reportPage } from './report/steps.ts';
import { rowsOf } from './row-meaning.ts';
import { sliceRawFile } from './slice.ts';
import { metricsBikeStudy } from './studies/bikes.ts';
import { metricsFigures } from './studies/figures.ts';
import { metricsLinks } from './studies/links.ts';
import { qualityOf } from './studies/quality.ts';
import { metricsSensors } from './studies/sensors.ts';
import { CITY_SOURCES } from './source.ts';
import { transformBikes } from './transform/bikes.ts';
import { transformCounts } from './transform/counts.ts';
import { transformNetwork } from './transform/network.ts';
import { transformTraffic } from './transform/traffic.ts';
import { transformWeather } from './transform/weather.ts';
import { transformWorks } from './transform/works.ts';
import { metricsRides } from './transport/rides-day.ts';
import { transformRides } from './transport/rides.ts';
import { metricsService } from './transport/service-day.ts';
import { transformService } from './transport/service.ts';

/** Mobility of Paris: one city day from six sources. */
export const cityflow: Dataset = {
  definition: cityflowDefinition,
  sources: CITY_SOURCES,
  slice: sliceRawFile,
  steps: {
    'transform/referentiel': transformNetwork,
    'transform/bikes': transformBikes,
    'transform/traffic': transformTraffic,
    'transform/weather': transformWeather,
    'transform/comptages': transformCounts,
    'transform/chantiers': transformWorks,
    'transform/validations': transformRides,
    'transform/service-quality': transformService,
    'metrics/referentiel': metricsNetwork,
    'metrics/bikes': metricsBikes,
    'metrics/traffic': metricsTraffic,
    'metrics/weather': metricsWeather,
    'metrics/comptages': metricsCounts,
    'metrics/chantiers': metricsWorks,
    'metrics/digest': metricsDigest,
    'metrics/history': metricsHistory,
    'metrics/usual': metricsUsual,
    'metrics/validations': metricsRides,
    'metrics/service-quality': metricsService,
    'metrics/figures': metricsFigures,
    'metrics/links': metricsLinks,
    'metrics/sensors': metricsSensors,
    'metrics/bike-study': metricsBikeStudy,
    'metrics/quality': qualityOf(cityflowDefinition.steps),
    'report/daily': reportDaily,
    'report/page': reportPage,
  },
  rawNames: CITY_RAW_NAMES,
  tables: [...CITY_TABLES, ...STUDY_TABLES, ...DAY_TABLES],
  questions: [...CITY_QUESTIONS, ...STUDY_QUESTIONS, ...PAGE_QUESTIONS],
  dashboards: CITY_DASHBOARDS,
  recognise: recogniseFile,
  rowsOf,
};
