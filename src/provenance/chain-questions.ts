import type { Question } from './question.ts';

/** What one asks about the chain itself, and about those who keep it. */
export const CHAIN_QUESTIONS: readonly Question[] = [
  {
    name: 'chain-breaks',
    title: 'Does every block follow the one before it?',
    purpose: 'A first look at a copy of the graph. What proves a chain is its hashes and signatures: chain verify.',
    honest: 'No row. Where a node keeps the newer part only, one: the first block that it has, as missing.',
    parameters: [],
    columns: ['height', 'claimed', 'actual'],
    sparql: `SELECT ?height ?claimed ?actual WHERE {
  {
    ?block cf:previousBlock ?before ; cf:previousHash ?claimed ; cf:height ?height .
    ?before cf:blockHash ?actual ; cf:height ?lower .
    FILTER(?claimed != ?actual || ?height != ?lower + 1)
  } UNION {
    ?block cf:previousBlock ?before ; cf:height ?height .
    MINUS { ?before cf:blockHash ?hash }
    BIND("missing" AS ?claimed)
  } UNION {
    ?block a cf:Block ; cf:height ?height .
    FILTER(?height > 0)
    MINUS { ?block cf:previousBlock ?before }
    BIND("missing" AS ?claimed)
  }
} ORDER BY ?height ?claimed ?actual`,
  },
  {
    name: 'authorities',
    title: 'How many blocks did each authority propose and sign, and was any made final by too few?',
    purpose: 'Who carries the chain, and who is away. Which signatures are kept differs from node to node.',
    honest: 'In every row weakBlocks is 0: each block after genesis has a quorum.',
    parameters: [],
    columns: ['authority', 'organisation', 'signed', 'proposed', 'weakBlocks'],
    sparql: `SELECT ?authority ?organisation (COALESCE(?signatures, 0) AS ?signed) (COALESCE(?blocks, 0) AS ?proposed) ?weakBlocks WHERE {
  ?authority a cf:Authority ; cf:seat ?seat ; prov:actedOnBehalfOf ?organisation .
  OPTIONAL {
    SELECT ?authority (COUNT(?seal) AS ?signatures) WHERE {
      ?seal a cf:Finalization ; prov:wasAssociatedWith ?authority
    } GROUP BY ?authority
  }
  OPTIONAL { SELECT ?authority (COUNT(?made) AS ?blocks) WHERE { ?made cf:proposer ?authority } GROUP BY ?authority }
  {
    SELECT (COUNT(?block) AS ?weakBlocks) WHERE {
      {
        SELECT ?block (COUNT(?signer) AS ?signers) WHERE {
          ?block a cf:Block ; cf:height ?height .
          FILTER(?height > 0)
          OPTIONAL { ?block prov:wasGeneratedBy ?act . ?act prov:wasAssociatedWith ?signer }
        } GROUP BY ?block
      }
      { SELECT (COUNT(?voter) AS ?voters) WHERE { ?voter a cf:Authority } }
      FILTER(?signers < ?voters - FLOOR((?voters - 1) / 3))
    }
  }
} ORDER BY ?seat`,
  },
  {
    name: 'out-of-lease',
    title: 'Did anybody admit without the right to: a device outside its lease, an organisation without the role?',
    purpose: 'That the right to admit ends when it was taken back. Devices with leases are told of by claims only.',
    honest: 'No row.',
    parameters: [],
    columns: ['transaction', 'agent', 'at', 'gate', 'fault'],
    sparql: `SELECT ?transaction ?agent ?at ?gate ?fault WHERE {
  {
    ?agent a cf:GateDevice ; cf:leasedFrom ?from ; cf:leasedUntil ?until ; prov:atLocation ?home .
    ?transaction prov:wasAssociatedWith ?agent ; prov:endedAtTime ?at ; prov:atLocation ?gate .
    FILTER(?at < ?from || ?at > ?until || ?gate != ?home)
    BIND(IF(?gate != ?home, "PLACE", "TIME") AS ?fault)
  } UNION {
    { ?transaction a cf:Consumption } UNION { ?transaction a cf:Admission }
    ?transaction prov:wasAssociatedWith ?agent ; prov:endedAtTime ?at ; prov:atLocation ?gate ; cf:height ?height .
    MINUS {
      {
        SELECT ?agent ?event ?granted (MIN(?taken) AS ?ended) WHERE {
          ?grant a cf:RoleGrant ; cf:role cf:GateRole ; cf:organisation ?agent ; cf:event ?event ; cf:height ?granted .
          OPTIONAL {
            ?loss a cf:RoleRevocation ; cf:role cf:GateRole ; cf:organisation ?agent ; cf:event ?event ; cf:height ?taken .
            FILTER(?taken >= ?granted)
          }
        } GROUP BY ?agent ?event ?granted
      }
      ?transaction prov:wasAssociatedWith ?agent ; cf:ticket ?ticket ; prov:atLocation ?gate ; cf:height ?height .
      ?ticket cf:admitsTo ?event .
      FILTER(?granted <= ?height && (!BOUND(?ended) || ?height <= ?ended))
    }
    BIND("ROLE" AS ?fault)
  }
} ORDER BY ?at ?transaction`,
  },
];
