import { type Question, TICKET } from './question.ts';

/** What one asks about one ticket. */
export const TICKET_QUESTIONS: readonly Question[] = [
  {
    name: 'history',
    title: 'What happened to this ticket, in order, by whom, and in which block?',
    purpose: 'The file of a disputed ticket: every version that it ever had, and who made it.',
    honest:
      'One row for each version, numbered from 1 without a gap. Of each transaction the node can prove that it is in ' +
      'its block, and the block that it is final.',
    parameters: [TICKET],
    columns: ['version', 'state', 'standing', 'action', 'at', 'agent', 'height', 'transaction'],
    sparql: `SELECT ?version ?state ?standing ?action ?at ?agent ?height ?transaction WHERE {
  ?record prov:specializationOf {{ticket}} ; cf:version ?version ; cf:state ?state ; cf:standing ?standing ;
    prov:wasGeneratedBy ?transaction .
  ?transaction a ?action ; prov:endedAtTime ?at ; prov:wasAssociatedWith ?agent .
  OPTIONAL { ?transaction cf:height ?height }
} ORDER BY ?version ?transaction`,
  },
  {
    name: 'state-as-of',
    title: 'What was the state of this ticket at a given instant?',
    purpose: 'What a gate had to know when it decided. The instant is one of the ledger: the time of blocks.',
    honest: 'One row: the last version that was final by then. No row: the ticket did not exist yet.',
    parameters: [
      TICKET,
      {
        name: 'at',
        kind: 'instant',
        description: 'an instant with its offset',
        example: '2026-06-18T16:30:00Z',
      },
    ],
    columns: ['version', 'state', 'standing', 'since', 'transaction'],
    sparql: `SELECT ?version ?state ?standing ?since ?transaction WHERE {
  ?record prov:specializationOf {{ticket}} ; cf:version ?version ; cf:state ?state ; cf:standing ?standing ;
    prov:wasGeneratedBy ?transaction .
  ?transaction prov:endedAtTime ?since .
  FILTER(?since <= {{at}})
} ORDER BY DESC(?version) LIMIT 1`,
  },
  {
    name: 'who-admitted',
    title: 'Who presented or scanned this ticket where, under which scan number, and what was decided?',
    purpose:
      'Every scan of a ticket, also those that were refused: what people argue about later is often the refusal.',
    honest:
      'At most one row without a code: the admission. Every later row is refused, with a code that says why. What was ' +
      'recorded is recorded when it happened, unless a device claims it afterwards.',
    parameters: [TICKET],
    columns: ['kind', 'agent', 'principal', 'gate', 'scan', 'happened', 'recorded', 'code', 'transaction'],
    sparql: `SELECT ?kind ?agent ?principal ?gate ?scan ?happened ?recorded ?code ?transaction WHERE {
  ?transaction cf:ticket {{ticket}} ; prov:atLocation ?gate ; a ?kind ; prov:wasAssociatedWith ?agent ;
    prov:endedAtTime ?happened .
  OPTIONAL { ?transaction cf:idempotencyKey ?scan }
  OPTIONAL { ?agent prov:actedOnBehalfOf ?principal }
  OPTIONAL { ?transaction cf:errorCode ?code }
  OPTIONAL { ?transaction cf:submittedAt ?submitted }
  OPTIONAL { ?block cf:contains ?transaction ; prov:generatedAtTime ?final . ?transaction cf:indexInBlock ?index }
  BIND(COALESCE(?submitted, ?final) AS ?recorded)
} ORDER BY ?happened ?index ?transaction`,
  },
];
