"""`Evaluator`: many evaluations, for a service: bounded, counted, and none left behind."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Iterable, Iterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, aclosing, contextmanager
from dataclasses import dataclass, field
from os import PathLike
from threading import get_ident
from types import TracebackType
from typing import TYPE_CHECKING, Generic, NamedTuple, Self, TypeAlias, TypeVar

import anyio

from aionix.evaluation import UNBOUNDED, Evaluation, EvaluationResult
from aionix.io import EvalIO
from aionix.vm.account import Budget, Usage

if TYPE_CHECKING:
    from anyio.abc import TaskGroup

#: How many evaluations `evaluate_many` has going at a time.
CONCURRENCY = 16


class EvaluatorClosed(RuntimeError):
    """The `Evaluator` was left while this went on, or before it began."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One evaluation to be made: of `code`, or else of the file at `path`.

    The rest is as in `Evaluation.evaluate`; a `budget` of its own replaces the common one.
    """

    code: str | bytes | None = None
    path: str | PathLike[str] | None = None
    location: str | None = None
    base_dir: str | None = None
    arguments: Iterable[object] = ()
    budget: Budget | None = None

    def __post_init__(self) -> None:
        if (self.code is None) == (self.path is None):
            raise TypeError("a job has either code or a path")


#: What `evaluate_many` takes: code, a path (as `pathlib` makes them), or all that can be said.
AnyJob: TypeAlias = str | bytes | PathLike[str] | Job
J = TypeVar("J", bound=AnyJob)


class Outcome(NamedTuple, Generic[J]):
    """What came of a job."""

    job: J
    result: EvaluationResult


@dataclass(frozen=True, slots=True)
class Statistics:
    """What an `Evaluator` has done so far."""

    #: Evaluations that ended, and how many of them failed.
    evaluations: int = 0
    failed: int = 0
    #: How many go on now, and how many went on at most.
    running: int = 0
    peak: int = 0
    #: What those that ended have used; `seconds` is the sum of their times.
    usage: Usage = field(default_factory=Usage)


class Evaluator:
    """Evaluates any number of texts and files with one `Evaluation`.

        async with aionix.Evaluator(LocalDisk("/srv/configs")) as evaluator:
            result = await evaluator.evaluate_file("/site.nix")

    Given a backend it makes an `Evaluation` of its own, in strict mode, and opens and closes the backend, if
    that is an async context manager; an `Evaluation` is used as it is. `budget` bounds each evaluation
    that is given none. Leaving cancels what goes on, and waits for its end; whoever waits for that then
    gets `EvaluatorClosed`.
    """

    def __init__(self, world: EvalIO | Evaluation, *, budget: Budget = UNBOUNDED) -> None:
        self._world = world
        self._budget = budget
        self._evaluation: Evaluation | None = None
        self._stack = AsyncExitStack()
        self._tasks: TaskGroup | None = None
        self._going: dict[anyio.CancelScope, anyio.Event] = {}
        self._ended = self._failed = self._peak = 0
        self._usage = Usage()

    async def __aenter__(self) -> Self:
        if self._evaluation is not None:
            raise RuntimeError("an Evaluator is entered once")
        world = self._world
        if isinstance(world, AbstractAsyncContextManager):
            await self._stack.enter_async_context(world)
        if isinstance(world, EvalIO):
            world = Evaluation.builder(world).mode("strict").build()
        self._evaluation = world
        self._tasks = await anyio.create_task_group().__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        tasks, self._tasks = self._tasks, None
        assert tasks is not None
        tasks.cancel_scope.cancel()
        for scope in self._going:
            scope.cancel()
        try:
            # Without the error: it would come back in a group.
            await tasks.__aexit__(None, None, None)
            with anyio.CancelScope(shield=True):  # they have been cancelled already
                for ended in list(self._going.values()):
                    await ended.wait()
        finally:
            await self._stack.__aexit__(kind, error, where)

    @property
    def evaluation(self) -> Evaluation:
        """What all this runs in. Raises EvaluatorClosed outside of `async with`."""
        if self._evaluation is None or self._tasks is None:
            raise EvaluatorClosed("the Evaluator is not open")
        return self._evaluation

    @property
    def statistics(self) -> Statistics:
        """What was done so far."""
        return Statistics(self._ended, self._failed, len(self._going), self._peak, self._usage)

    async def evaluate(
        self,
        code: str | bytes,
        location: str | None = None,
        *,
        base_dir: str | None = None,
        arguments: Iterable[object] = (),
        budget: Budget | None = None,
    ) -> EvaluationResult:
        """As `Evaluation.evaluate`."""
        return await self.run(
            Job(code=code, location=location, base_dir=base_dir, arguments=arguments, budget=budget)
        )

    async def evaluate_file(
        self,
        path: str | PathLike[str],
        *,
        arguments: Iterable[object] = (),
        budget: Budget | None = None,
    ) -> EvaluationResult:
        """As `Evaluation.evaluate_file`."""
        return await self.run(Job(path=path, arguments=arguments, budget=budget))

    async def run(self, job: AnyJob) -> EvaluationResult:
        """Evaluates what the job says."""
        job = _full(job)
        evaluation = self.evaluation
        with self._going_on() as scope:
            result = await _run(evaluation, job, job.budget or self._budget)
            self._ended += 1
            self._failed += bool(result.errors)
            self._usage += result.usage
        if scope.cancelled_caught:
            raise EvaluatorClosed("the Evaluator was closed during the evaluation")
        return result

    def invalidate(self, paths: Iterable[str | PathLike[str]]) -> list[str]:
        """As `Evaluation.invalidate`."""
        return self.evaluation.invalidate(paths)

    def evaluate_many(
        self, jobs: Iterable[J] | AsyncIterable[J], *, limit: int = CONCURRENCY, ordered: bool = False
    ) -> Outcomes[J]:
        """Evaluates all `jobs`, `limit` at a time, and yields each one's `Outcome` as soon as it ends.

        With `ordered`, they come in the order of the jobs. Of at most `2 * limit` jobs that have begun the
        outcome was not taken yet. An iteration that is broken off cancels what goes on; `async with`
        also waits for the end of that:

            async with evaluator.evaluate_many(paths, limit=50) as outcomes:
                async for path, result in outcomes:
                    ...

        A mistake of a program is in its result; what else goes wrong is raised, and ends the iteration.
        """
        if limit < 1:
            raise ValueError(f"at least one evaluation has to go on, not {limit}")
        return Outcomes(self, _Work(self.run, jobs, limit, ordered))

    def _begin(self, work: _Work[J]) -> None:
        if self._tasks is None:
            raise EvaluatorClosed("the Evaluator is not open")
        self._tasks.start_soon(work.run)

    @contextmanager
    def _going_on(self) -> Iterator[anyio.CancelScope]:
        ended = anyio.Event()
        with anyio.CancelScope() as scope:
            self._going[scope] = ended
            self._peak = max(self._peak, len(self._going))
            try:
                yield scope
            finally:
                del self._going[scope]
                ended.set()


def _full(job: AnyJob) -> Job:
    if isinstance(job, Job):
        return job
    return Job(code=job) if isinstance(job, (str, bytes)) else Job(path=job)


async def _run(evaluation: Evaluation, job: Job, budget: Budget) -> EvaluationResult:
    arguments = job.arguments
    if job.path is not None:
        return await evaluation.evaluate_file(job.path, arguments=arguments, budget=budget)
    assert job.code is not None
    return await evaluation.evaluate(
        job.code, job.location, base_dir=job.base_dir, arguments=arguments, budget=budget
    )


class Outcomes(Generic[J]):
    """The outcomes of many evaluations, as they come: an async iterator; see `evaluate_many`.

    The evaluations run in the task group of the `Evaluator`, so that no cancel scope is open
    while the consumer has an outcome. They begin when the first outcome is asked for.
    """

    def __init__(self, evaluator: Evaluator, work: _Work[J]) -> None:
        self._evaluator = evaluator
        self._work = work
        self._begun = False
        self._thread = get_ident()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Outcome[J]:
        work = self._work
        if not self._begun:
            self._evaluator._begin(work)
            self._begun = True
        try:
            outcome = await work.take()
        except anyio.EndOfStream:
            if not work.complete:
                raise EvaluatorClosed("the Evaluator was closed during the evaluations") from None
            raise StopAsyncIteration from None
        except anyio.ClosedResourceError:  # by aclose()
            raise StopAsyncIteration from None
        if isinstance(outcome, Exception):
            await self.aclose()
            raise outcome
        return outcome

    async def aclose(self) -> None:
        """Cancels what goes on, and waits for its end."""
        self._work.cancel()
        if self._begun:
            with anyio.CancelScope(shield=True):
                await self._work.ended.wait()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def __del__(self) -> None:
        # `break` out of `async for`: nobody will take the rest. What goes on does not know this object.
        if self._thread == get_ident():
            self._work.cancel()


class _Work(Generic[J]):
    """The side of `Outcomes` that makes them."""

    def __init__(
        self,
        evaluate: Callable[[J], Awaitable[EvaluationResult]],
        jobs: Iterable[J] | AsyncIterable[J],
        limit: int,
        ordered: bool,
    ) -> None:
        self._evaluate = evaluate
        self._jobs = jobs
        self._limit = anyio.Semaphore(limit)
        self._not_taken = anyio.Semaphore(2 * limit)
        self._due: int | None = 0 if ordered else None
        self._early: dict[int, Outcome[J] | Exception] = {}
        self._scope = anyio.CancelScope()
        self._put, self._taken = anyio.create_memory_object_stream[Outcome[J] | Exception](math.inf)
        self.complete = False
        self.ended = anyio.Event()

    async def run(self) -> None:
        """Makes them all, unless cancelled."""
        try:
            with self._scope, self._put:
                async with anyio.create_task_group() as group:
                    await self._begin_all(group)
                self.complete = True
        finally:
            self.ended.set()

    async def take(self) -> Outcome[J] | Exception:
        """The next one, or what ends it all; raises EndOfStream."""
        outcome = await self._taken.receive()
        self._not_taken.release()
        return outcome

    def cancel(self) -> None:
        """No more is to be made or taken."""
        self._taken.close()
        self._put.close()
        if not self.ended.is_set():
            self._scope.cancel()

    async def _begin_all(self, group: TaskGroup) -> None:
        index = 0
        try:
            async with aclosing(_each(self._jobs)) as jobs:
                async for job in jobs:
                    await self._not_taken.acquire()
                    await self._limit.acquire()
                    group.start_soon(self._one, index, job)
                    index += 1
        except Exception as error:  # of the consumer's iterator
            self._made(index, error)

    async def _one(self, index: int, job: J) -> None:
        try:
            self._made(index, Outcome(job, await self._evaluate(job)))
        except Exception as error:
            self._made(index, error)
        finally:
            self._limit.release()

    def _made(self, index: int, outcome: Outcome[J] | Exception) -> None:
        if self._scope.cancel_called:
            return
        if self._due is None:
            self._put.send_nowait(outcome)
            return
        self._early[index] = outcome
        while self._due in self._early:
            self._put.send_nowait(self._early.pop(self._due))
            self._due += 1


async def _each(jobs: Iterable[J] | AsyncIterable[J]) -> AsyncGenerator[J, None]:
    if isinstance(jobs, AsyncIterable):
        async for job in jobs:
            yield job
    else:
        for job in jobs:
            yield job
