import { SERVICE_HEADER, SURFACE_HEADER } from './transport-data.ts';

/**
 * An answer or export of each publisher with every member that it has, in the publisher's order and
 * types: small, and written by hand after the portals' documentation, since none of their files is
 * ours to keep.
 */

/** The date that all of them tell of; a Tuesday in winter time. */
export const EXPORT_DAY = '2025-11-04';

/** `comptage-velo-donnees-compteurs`, `exports/json`: one list, nothing around it. */
export const BIKE_EXPORT: readonly object[] = [7, 8].map((hour) => ({
  id_compteur: '100007049-101007049',
  nom_compteur: '28 boulevard Diderot O-E',
  id: '100007049',
  name: '28 boulevard Diderot',
  sum_counts: hour * 10,
  date: `2025-11-04T0${hour - 1}:00:00+00:00`,
  installation_date: '2013-01-18',
  url_photos_n1: 'https://filer.eco-counter-tools.com/file/1/photo.jpg',
  coordinates: { lon: 2.37559, lat: 48.84613 },
  counter: 'Y2H15027244',
  photos: 'https://filer.eco-counter-tools.com/file/1/photo.jpg',
  test_lien_vers_photos_du_site_de_comptage_: null,
  id_photo_1: null,
  url_sites: 'https://www.eco-visio.net/Photos/100007049/photo.jpg',
  type_dimage: 'jpg',
  mois_annee_comptage: '2025-11',
}));

/** The same from `records`: a page. */
export const BIKE_PAGE = { total_count: 812_345, results: BIKE_EXPORT };

interface Page {
  readonly total: number;
  readonly page: number;
  readonly size: number;
}

/** `line_reports/line_reports` of Navitia: a page of it with these disruptions. */
export function navitiaAnswer(disruptions: readonly object[], { total, page, size }: Page): object {
  return {
    pagination: {
      start_page: page,
      items_on_page: disruptions.length,
      items_per_page: size,
      total_result: total,
    },
    line_reports: disruptions.map((_, index) => ({
      line: {
        id: `line:IDFM:C0137${index}`,
        name: 'Métro 8',
        code: '8',
        color: 'CEADD2',
        text_color: '000000',
      },
      pt_objects: [
        { id: `line:IDFM:C0137${index}`, name: 'Métro 8', quality: 0, embedded_type: 'line' },
      ],
    })),
    disruptions,
    feed_publishers: [{ id: 'idfm', name: 'IDFM', url: '', license: 'Licence Ouverte' }],
    context: { current_datetime: '20251104T101500', timezone: 'Europe/Paris' },
    links: [
      {
        href: 'https://prim.iledefrance-mobilites.fr/…/disruptions/{disruption.id}',
        type: 'disruption',
        rel: 'd',
      },
    ],
  };
}

export const DISRUPTION = {
  id: 'a5b6a2c4-b93e-11f0-9a3c-0a58a9feac02',
  disruption_id: 'a1a1b8ae-b93e-11f0-9a3c-0a58a9feac02',
  impact_id: 'a5b6a2c4-b93e-11f0-9a3c-0a58a9feac02',
  uri: 'a5b6a2c4-b93e-11f0-9a3c-0a58a9feac02',
  disruption_uri: 'a1a1b8ae-b93e-11f0-9a3c-0a58a9feac02',
  contributor: 'shortterm.tr_idfm',
  cause: 'perturbation',
  category: 'Incidents',
  status: 'active',
  tags: ['Actualité'],
  severity: { name: 'bloquante', effect: 'NO_SERVICE', color: '#EF662F', priority: 50 },
  application_periods: [{ begin: '20251104T074500', end: '20251104T093000' }],
  messages: [
    {
      text: '<p>Métro 8&nbsp;: trafic interrompu entre Balard et La&nbsp;Motte-Picquet</p>',
      channel: { id: 'd9f', name: 'titre', content_type: 'text/html', types: ['web', 'title'] },
    },
  ],
  impacted_objects: [
    {
      pt_object: { id: 'line:IDFM:C01378', name: 'Métro 8', quality: 0, embedded_type: 'line' },
      impacted_stops: [],
    },
  ],
  updated_at: '20251104T081200',
};

const CROSSING_HOURS = Array.from({ length: 24 }, (_, hour) => ({
  datetime: `${String(hour).padStart(2, '0')}:00:00`,
  datetimeEpoch: 1_762_210_800 + hour * 3_600,
  ...{
    temp: 8 + hour / 4,
    feelslike: 7,
    humidity: 86.1,
    dew: 6.2,
    precip: 0,
    precipprob: 0,
    snow: 0,
    snowdepth: 0,
  },
  ...{
    preciptype: null,
    windgust: 24.1,
    windspeed: 12.2,
    winddir: 201,
    pressure: 1_019,
    visibility: 10,
  },
  ...{ cloudcover: 88.4, solarradiation: 0, solarenergy: 0, uvindex: 0, severerisk: 10 },
  ...{
    conditions: 'Partially cloudy',
    icon: 'partly-cloudy-night',
    stations: ['07157'],
    source: 'obs',
  },
}));

/** `timeline` of Visual Crossing, metric. */
export const CROSSING_ANSWER = {
  ...{
    queryCost: 24,
    latitude: 48.8566,
    longitude: 2.35222,
    resolvedAddress: 'Paris, Île-de-France, France',
  },
  ...{ address: 'Paris,France', timezone: 'Europe/Paris', tzoffset: 1 },
  days: [
    {
      ...{
        datetime: EXPORT_DAY,
        datetimeEpoch: 1_762_210_800,
        tempmax: 15.6,
        tempmin: 7.3,
        temp: 11.6,
      },
      ...{ feelslikemax: 15.6, feelslikemin: 5.9, feelslike: 11.2, dew: 8.1, humidity: 79.9 },
      ...{
        precip: 0.4,
        precipprob: 100,
        precipcover: 4.17,
        preciptype: ['rain'],
        snow: 0,
        snowdepth: 0,
      },
      ...{
        windgust: 33.1,
        windspeed: 15.5,
        winddir: 198.2,
        pressure: 1_018.5,
        cloudcover: 71.2,
        visibility: 13.1,
      },
      ...{
        solarradiation: 77.4,
        solarenergy: 6.7,
        uvindex: 4,
        severerisk: 10,
        sunrise: '07:43:05',
        sunset: '17:25:09',
      },
      ...{
        moonphase: 0.47,
        conditions: 'Rain, Partially cloudy',
        description: 'Partly cloudy.',
        icon: 'rain',
      },
      ...{ stations: ['07157', 'LFPO'], source: 'obs', hours: CROSSING_HOURS },
    },
  ],
  stations: {
    LFPO: {
      distance: 15_000,
      latitude: 48.72,
      longitude: 2.38,
      useCount: 0,
      id: 'LFPO',
      quality: 50,
    },
  },
  currentConditions: { datetime: '10:15:00', temp: 11.1, conditions: 'Overcast', source: 'obs' },
};

/** `archive` of Open-Meteo. */
export const METEO_ANSWER = {
  ...{
    latitude: 48.86116,
    longitude: 2.3370786,
    generationtime_ms: 0.41,
    utc_offset_seconds: 3_600,
  },
  ...{ timezone: 'Europe/Paris', timezone_abbreviation: 'GMT+1', elevation: 43 },
  hourly_units: {
    time: 'iso8601',
    temperature_2m: '°C',
    precipitation: 'mm',
    wind_speed_10m: 'km/h',
    weather_code: 'wmo',
  },
  hourly: {
    time: Array.from(
      { length: 24 },
      (_, hour) => `${EXPORT_DAY}T${String(hour).padStart(2, '0')}:00`,
    ),
    temperature_2m: Array.from({ length: 24 }, (_, hour) => 8 + hour / 4),
    precipitation: Array.from({ length: 24 }, () => 0),
    wind_speed_10m: Array.from({ length: 24 }, () => 12.2),
    weather_code: Array.from({ length: 24 }, () => 3),
  },
  daily_units: {
    time: 'iso8601',
    temperature_2m_max: '°C',
    precipitation_sum: 'mm',
    wind_speed_10m_max: 'km/h',
  },
  daily: {
    time: [EXPORT_DAY],
    ...{ temperature_2m_max: [15.6], temperature_2m_min: [7.3], temperature_2m_mean: [11.6] },
    ...{ precipitation_sum: [0.4], wind_speed_10m_max: [15.5], weather_code: [61] },
  },
};

const LINE =
  '"{""coordinates"": [[2.3009951, 48.8717770], [2.3024504, 48.8712947]], ""type"": ""LineString""}"';

/**
 * `comptages-routiers-permanents`, `exports/csv` with labels: CRLF, and the byte-order mark of its
 * downloads.
 */
export const COUNT_EXPORT = [
  "\u{FEFF}Identifiant arc;Libelle;Date et heure de comptage;Débit horaire;Taux d'occupation;Etat trafic;Identifiant noeud amont;" +
    'Libelle noeud amont;Identifiant noeud aval;Libelle noeud aval;Etat arc;Date debut dispo data;Date fin dispo data;geo_point_2d;geo_shape',
  `4264;AV_Champs_Elysees;2025-11-04T09:00:00+01:00;1034.0;22.86333;Pré-saturé;2294;Av_CE-Washington;2293;Av_CE-Berri;Invalide;1996-10-10;2023-01-01;48.8715, 2.3017;${LINE}`,
  `4264;AV_Champs_Elysees;2025-11-05T00:00:00+01:00;;;Inconnu;2294;Av_CE-Washington;2293;Av_CE-Berri;Invalide;1996-10-10;2023-01-01;48.8715, 2.3017;${LINE}`,
  '',
].join('\r\n');

const RING =
  '"{""coordinates"": [[[2.2983, 48.8449], [2.2984, 48.8448], [2.2982, 48.8447], [2.2983, 48.8449]]], ""type"": ""Polygon""}"';

/** `chantiers-perturbants`, `exports/csv` with labels. */
export const WORK_EXPORT = [
  "\u{FEFF}Identifiant;Identifiant CTV;Code postal de l'arrondissement;Numéro de STV;Typologie;Maitre d'ouvrage;Objet;Description;Voie(s);" +
    "Précisions de localisation;Date de début;Date de fin;Impact sur la circulation;Détail de l'impact sur la circulation;" +
    'Niveau de perturbation;Statut;URL LettreInfoChantier;geo_shape;geo_point_2d',
  `CP002771;;75015;13;1;SAGP;REAMENAGEMENT_SECTEUR;;rue Auguste Dorchain;"Fermeture ponctuelle;\n mise en sens unique";2025-01-13;2025-12-31;SENS_UNIQUE;fermeture;1;2;;${RING};48.8448, 2.2983`,
  '',
].join('\n');

/** `referentiel-comptages-routiers`, `exports/csv`. */
export const NETWORK_EXPORT = [
  'IU_AC;DATE_DEBUT;DATE_FIN;LIBELLE;IU_ND_AVAL;IU_ND_AMONT;LIBELLE_ND_AMONT;LIBELLE_ND_AVAL;geo_point_2d;geo_shape;SHAPE.LEN',
  `4264;2005-01-01T02:00:00+01:00;2029-06-01T04:00:00+02:00;AV_Champs_Elysees;2293;2294;Av_CE-Washington;Av_CE-Berri;48.8715,2.3017;${LINE};0.0`,
  '',
].join('\n');

/** `arrondissements`, `exports/geojson`: the 8th alone, as a square. */
export const DISTRICT_EXPORT = {
  type: 'FeatureCollection',
  features: [
    {
      type: 'Feature',
      geometry: {
        type: 'Polygon',
        coordinates: [
          [
            [2.29, 48.86],
            [2.33, 48.86],
            [2.33, 48.89],
            [2.29, 48.89],
            [2.29, 48.86],
          ],
        ],
      },
      properties: {
        ...{
          n_sq_ar: 750000008,
          c_ar: 8,
          c_arinsee: 75108,
          l_ar: '8ème Ardt',
          l_aroff: 'Élysée',
          n_sq_co: 750001537,
        },
        ...{ surface: 3880036.397, perimetre: 7880.533, geom_x_y: { lon: 2.3125, lat: 48.8727 } },
      },
    },
  ],
};

/**
 * `validations-reseau-surface-nombre-validations-par-jour-…`, of an annual archive: days of the
 * month first.
 */
export const SURFACE_EXPORT = [
  SURFACE_HEADER,
  `04/11/2025;100;110;021;LIGNE 21;A01536;Forfait Navigo;8412`,
  '',
].join('\n');

/**
 * `indicateurs-qualite-service-sncf-ratp`, `exports/csv` with labels; one of its labels ends in a
 * space.
 */
export const SERVICE_EXPORT = [
  SERVICE_HEADER,
  'RATP;Ponctualité;Ponctualité aux heures de pointe;metro;;C01378;8;T4;2025;96.2;;97;Oui',
  '',
].join('\n');
