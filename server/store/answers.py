"""Answers to repeatable requests in SQL."""

from datetime import datetime

from sqlalchemy import BigInteger, Connection, bindparam, delete, literal_column, select, update

from server.store.answers_base import KEPT, MOST_OF_ONE, Begun
from server.store.database import SqlPort, change, fetch, from_microseconds, to_microseconds, unless_there, writes
from server.store.schema import answers

_OF_KEY = answers.c.key == bindparam("of_key")
_BEGUN = select(answers.c.request, answers.c.at, answers.c.proof, answers.c.answer, answers.c.is_done).where(_OF_KEY)
_FORGET = delete(answers).where(_OF_KEY)
_FORGET_OLD = delete(answers).where(answers.c.at < bindparam("before"))
_TOO_MANY = (
    select(answers.c.at)
    .where(answers.c.person == bindparam("of_person"))
    .order_by(answers.c.at.desc())
    .offset(bindparam("most", type_=BigInteger))
    .limit(literal_column("1"))
)
_FORGET_MANY = delete(answers).where(answers.c.person == bindparam("of_person"), answers.c.at <= bindparam("before"))
_PROMISE = update(answers).where(_OF_KEY).values(proof=bindparam("new_proof"), answer=bindparam("new_answer"))
_FINISH = update(answers).where(_OF_KEY).values(answer=bindparam("new_answer"), is_done=1)
_AGAIN = (
    update(answers)
    .where(_OF_KEY, answers.c.at == bindparam("begun"), answers.c.is_done == 0)
    .values(at=bindparam("now"), proof="", answer=b"")
)


class SqlAnswers(SqlPort):
    """The answers port over a database."""

    @writes
    def begin(self, connection: Connection, key: bytes, person: bytes, request: bytes) -> Begun | None:
        now = self.now()
        change(connection, _FORGET_OLD, before=to_microseconds(self.clock() - KEPT))
        row = {"key": key, "person": person, "request": request, "at": now, "proof": "", "answer": b"", "is_done": 0}
        if change(connection, unless_there(connection.dialect.name, answers), **row):
            for (at,) in fetch(connection, _TOO_MANY, of_person=person, most=MOST_OF_ONE):
                change(connection, _FORGET_MANY, of_person=person, before=at)
            return None
        for known, at, proof, answer, is_done in fetch(connection, _BEGUN, of_key=key):
            return Begun(bytes(known), from_microseconds(at), proof, bytes(answer), bool(is_done))
        return None

    @writes
    def begin_anew(self, connection: Connection, key: bytes, begun_at: datetime) -> bool:
        return change(connection, _AGAIN, of_key=key, begun=to_microseconds(begun_at), now=self.now()) > 0

    @writes
    def promise(self, connection: Connection, key: bytes, proof: str, answer: bytes) -> None:
        change(connection, _PROMISE, of_key=key, new_proof=proof, new_answer=answer)

    @writes
    def finish(self, connection: Connection, key: bytes, answer: bytes) -> None:
        change(connection, _FINISH, of_key=key, new_answer=answer)

    @writes
    def forget(self, connection: Connection, key: bytes) -> None:
        change(connection, _FORGET, of_key=key)
