import type { Question } from './question.ts';

/** What one asks about all tickets of an event. */
export const EVENT_QUESTIONS: readonly Question[] = [
  {
    name: 'illegal-transitions',
    title: 'Did any ticket take a step that its life does not have?',
    purpose: 'That nobody was admitted with a ticket that was never activated, and nothing final was undone.',
    honest: 'No row.',
    parameters: [],
    columns: ['ticket', 'from', 'to', 'transaction'],
    sparql: `SELECT ?ticket ?from ?to ?transaction WHERE {
  {
    ?record prov:wasRevisionOf ?before ; cf:state ?to ; prov:specializationOf ?ticket ; prov:wasGeneratedBy ?transaction .
    ?before cf:state ?from .
    FILTER(?from != ?to)
    MINUS { VALUES (?from ?to) { (cf:Issued cf:Validated) (cf:Validated cf:Consumed) (cf:Validated cf:Disputed) } }
  } UNION {
    ?record cf:version 1 ; cf:state ?to ; prov:specializationOf ?ticket ; prov:wasGeneratedBy ?transaction .
    FILTER(?to != cf:Issued)
  }
} ORDER BY ?ticket ?transaction ?to`,
  },
  {
    name: 'gate-curve',
    title: 'How many people entered at each gate in every five minutes?',
    purpose: 'How a crowd arrived, for the next event and for the inquiry after this one.',
    honest: 'Everybody is counted once: the entries add up to the admissions of the time that was asked for.',
    parameters: [
      { name: 'from', kind: 'instant', description: 'the first instant', example: '2026-06-12T00:00:00Z' },
      {
        name: 'until',
        kind: 'instant',
        description: 'the first instant that is out again',
        example: '2026-06-20T00:00:00Z',
      },
    ],
    columns: ['gate', 'slot', 'entries'],
    sparql: `SELECT ?gate ?slot (COUNT(?transaction) AS ?entries) WHERE {
  { ?transaction a cf:Consumption } UNION { ?transaction a cf:Admission } UNION { ?transaction a cf:OfflineClaim }
  ?transaction prov:atLocation ?gate ; prov:endedAtTime ?at .
  FILTER(?at >= {{from}} && ?at < {{until}})
  BIND(xsd:integer(5 * FLOOR(MINUTES(?at) / 5)) AS ?minute)
  BIND(STRDT(CONCAT(SUBSTR(STR(?at), 1, 14), IF(?minute < 10, "0", ""), STR(?minute), ":00Z"), xsd:dateTime) AS ?slot)
} GROUP BY ?gate ?slot ORDER BY ?gate ?slot`,
  },
  {
    name: 'double-admissions',
    title: 'Which tickets were presented more than once, where, and how far apart?',
    purpose: 'Copies, and people who tried a second gate. The first admission holds; what came after it was refused.',
    honest: 'Rows are usual. In each of them, admitted is 0 or 1.',
    parameters: [],
    columns: ['ticket', 'scans', 'admitted', 'gates', 'first', 'last'],
    sparql: `SELECT ?ticket (COUNT(?transaction) AS ?scans) (SUM(IF(?kind = cf:RejectedAttempt, 0, 1)) AS ?admitted)
  (COUNT(DISTINCT ?gate) AS ?gates) (MIN(?at) AS ?first) (MAX(?at) AS ?last) WHERE {
  ?transaction prov:atLocation ?gate ; cf:ticket ?ticket ; a ?kind ; prov:endedAtTime ?at .
} GROUP BY ?ticket HAVING (COUNT(?transaction) > 1) ORDER BY DESC(?scans) ?ticket`,
  },
  {
    name: 'disputes',
    title: 'Which cases were opened, how did they end, and did anybody decide his own?',
    purpose: 'The list of a settlement meeting: open cases have no outcome.',
    honest: 'In every row selfJudged is false.',
    parameters: [],
    columns: ['ticket', 'reason', 'opened', 'opener', 'outcome', 'decided', 'arbiter', 'selfJudged'],
    sparql: `SELECT ?ticket ?reason ?opened ?opener ?outcome ?decided ?arbiter ?selfJudged WHERE {
  { ?opening a cf:DisputeOpening } UNION { ?opening a cf:CaseOpening }
  ?opening cf:reason ?reason ; prov:endedAtTime ?opened ; prov:wasAssociatedWith ?opener .
  ?contested prov:wasGeneratedBy ?opening ; prov:specializationOf ?ticket .
  OPTIONAL {
    ?closed prov:wasRevisionOf ?contested ; prov:wasGeneratedBy ?resolution .
    ?resolution a cf:DisputeResolution ; cf:outcome ?outcome ; prov:endedAtTime ?decided ; prov:wasAssociatedWith ?arbiter .
  }
  BIND(BOUND(?arbiter) && ?arbiter = ?opener AS ?selfJudged)
} ORDER BY ?opened ?ticket`,
  },
  {
    name: 'custody-resale',
    title: 'Which transfers were to be paid above the resale cap, and were they done?',
    purpose:
      'That the cap of a tier holds on every channel, and who tried to get past it. Prices are in the smallest unit.',
    honest: 'In every row executed is false: it was asked for, and refused.',
    parameters: [],
    columns: ['ticket', 'transaction', 'at', 'agent', 'face', 'paid', 'capPercent', 'executed'],
    sparql: `SELECT ?ticket ?transaction ?at ?agent ?face ?paid ?capPercent ?executed WHERE {
  { ?transaction a cf:Transfer BIND(true AS ?executed) }
  UNION { ?transaction a cf:RejectedAttempt ; cf:attempted cf:Transfer BIND(false AS ?executed) }
  ?transaction cf:salePrice ?paid ; cf:ticket ?ticket ; prov:endedAtTime ?at ; prov:wasAssociatedWith ?agent .
  ?ticket cf:tier ?tier .
  ?tier cf:price ?face ; cf:resaleCapPercent ?capPercent .
  FILTER(?paid * 100 > ?face * ?capPercent)
} ORDER BY ?at ?ticket ?transaction`,
  },
  {
    name: 'revoked-then-used',
    title: 'Was a revoked ticket presented afterwards, and was it admitted?',
    purpose: 'That a refund or a chargeback ends a ticket at every gate at once.',
    honest: 'In every row admitted is false.',
    parameters: [],
    columns: ['ticket', 'reason', 'revoked', 'tried', 'gate', 'admitted', 'transaction'],
    sparql: `SELECT ?ticket ?reason ?revoked ?tried ?gate ?admitted ?transaction WHERE {
  ?revocation a cf:Revocation ; cf:ticket ?ticket ; cf:reason ?reason ; prov:endedAtTime ?revoked .
  ?transaction cf:ticket ?ticket ; prov:atLocation ?gate ; a ?kind ; prov:endedAtTime ?tried .
  FILTER(?tried >= ?revoked)
  BIND(?kind != cf:RejectedAttempt AS ?admitted)
} ORDER BY ?tried ?ticket ?transaction`,
  },
  {
    name: 'reconcile',
    title: 'How many tickets of each tier are in which state, and how many could there be?',
    purpose: 'The settlement sheet between sellers, and the alarm when more was sold than there is.',
    honest: 'The rows of a tier add up to its capacity at most.',
    parameters: [],
    columns: ['tier', 'capacity', 'state', 'standing', 'tickets'],
    sparql: `SELECT ?tier ?capacity ?state ?standing (COUNT(?record) AS ?tickets) WHERE {
  ?ticket cf:tier ?tier .
  ?tier cf:capacity ?capacity .
  ?record prov:specializationOf ?ticket ; cf:state ?state ; cf:standing ?standing .
  MINUS { ?record prov:wasInvalidatedBy ?later }
} GROUP BY ?tier ?capacity ?state ?standing ORDER BY ?tier ?state ?standing`,
  },
];
