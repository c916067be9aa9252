"""The ledger of what the knowledge does not answer.

Signals come in: questions that found nothing, that found little, or whose answer was rated down.
Gaps go out: clusters of signals that mean the same, each with a state and a history. The ledger
follows the transcripts and the knowledge by itself. It asks the questions again that a change of
the knowledge can answer, by the decision that answers visitors, and closes and reopens gaps on what
that finds.
"""
