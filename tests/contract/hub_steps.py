"""Steps of the hub's own client, unmodified and with its defaults, against a served park; each must pass.

HF_ENDPOINT=http://localhost:8386/hub HF_TOKEN=... STRANGER_TOKEN=... python tests/contract/hub_steps.py PROJECT OTHER
HF_TOKEN: of a lead of both projects; STRANGER_TOKEN: of somebody who holds no role there.
"""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import httpx2
from client_walk import ENDPOINT, PROJECT, STRANGER, fails, step, walk, work
from huggingface_hub import (
    CommitOperationAdd,
    CommitOperationCopy,
    CommitOperationDelete,
    HfApi,
    HfFileSystem,
    hf_hub_download,
    metadata_update,
    snapshot_download,
)
from huggingface_hub.errors import (
    BadRequestError,
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)

REPO, MODEL, KIND = f"{PROJECT}/steps-{os.getpid()}", f"{PROJECT}/steps-model-{os.getpid()}", "dataset"
LARGE = os.urandom(3_000_000)
api, stranger = HfApi(), HfApi(token=STRANGER)


def files(revision: str = "main", repo: str = REPO) -> list[str]:
    return sorted(api.list_repo_files(repo, repo_type=KIND, revision=revision))


def read(path: str, **more: Any) -> bytes:
    return Path(hf_hub_download(more.pop("repo", REPO), path, repo_type=KIND, **more)).read_bytes()


def put(content: Any, path: str, **more: Any) -> Any:
    return api.upload_file(path_or_fileobj=content, path_in_repo=path, repo_id=REPO, repo_type=KIND, **more)


def begin() -> None:
    step("whoami", lambda: PROJECT in [org["name"] for org in api.whoami()["orgs"]], True)
    step("create_repo", lambda: str(api.create_repo(REPO, repo_type=KIND)), f"{ENDPOINT}/datasets/{REPO}")
    step("create_repo again", lambda: api.create_repo(REPO, repo_type=KIND, exist_ok=True).repo_id, REPO)
    fails("create_repo twice", HfHubHTTPError, lambda: api.create_repo(REPO, repo_type=KIND))
    step("create_repo of a model", lambda: api.create_repo(MODEL).repo_id, MODEL)
    step("repo_exists", lambda: (api.repo_exists(REPO, repo_type=KIND), api.repo_exists(f"{REPO}x")), (True, False))
    fails("create a space", BadRequestError, lambda: api.create_repo(f"{REPO}s", repo_type="space", space_sdk="static"))


def send() -> None:
    step("upload_file, README", lambda: put(b"---\nlicense: mit\n---\n# Steps\n", "README.md"))
    step("upload_file, large (Xet)", lambda: put(LARGE, "data/large.bin"))
    step("upload_file, buffer (LFS)", lambda: put(io.BytesIO(LARGE[:2_000_000]), "data/buffer.bin"))
    step("upload_file, empty", lambda: put(b"", "data/empty"))
    folder = work / "folder"
    (folder / "texts").mkdir(parents=True)
    for number in range(30):
        (folder / "texts" / f"{number:02}.txt").write_text(f"{number}\n")
    (folder / "weights.bin").write_bytes(os.urandom(2_500_000))
    (folder / ".gitignore").write_text("*.log\n")
    (folder / "run.log").write_text("not for others\n")
    send_folder = lambda: api.upload_folder(folder_path=folder, repo_id=REPO, repo_type=KIND).oid  # noqa: E731
    first = step("upload_folder", send_folder)
    step("upload_folder again, nothing new", send_folder, first)
    step("the ignored file stays away", lambda: "run.log" in files(), False)
    (folder / "texts" / "00.txt").write_text("changed\n")
    (folder / "run.log").unlink()
    step("upload_folder, one changed", send_folder)
    step("a changed file arrives", lambda: read("texts/00.txt"), b"changed\n")
    fails("a path that leaves", ValueError, lambda: put(b"x", "a/../../b"))
    fails("a name too long", BadRequestError, lambda: put(b"x", "n" * 4096))
    fails("a pull request", BadRequestError, lambda: put(b"x", "x", create_pr=True))


def look() -> None:
    info = step("dataset_info", lambda: api.dataset_info(REPO, files_metadata=True))
    sizes = {one.rfilename: one.size for one in info.siblings}
    step("sizes of files", lambda: (sizes["data/large.bin"], sizes["data/empty"]), (3_000_000, 0))
    step("file_exists", lambda: api.file_exists(REPO, "data/large.bin", repo_type=KIND), True)
    step("hf_hub_download", lambda: read("data/large.bin") == LARGE, True)
    step("from the cache, by ETag", lambda: read("data/large.bin") == LARGE, True)
    step("hf_hub_download to a folder", lambda: read("data/empty", local_dir=work / "here"), b"")
    url = f"{ENDPOINT}/datasets/{REPO}/resolve/main/data/large.bin"
    headers = {"Authorization": f"Bearer {os.environ['HF_TOKEN']}"}
    part = step("a range", lambda: httpx2.get(url, headers={**headers, "Range": "bytes=1000000-1000099"}))
    step("is that part", lambda: (part.status_code, part.content), (206, LARGE[1_000_000:1_000_100]))
    bad = httpx2.get(url, headers={**headers, "Range": "bytes=3000000-"})
    step("a range beyond the end", lambda: (bad.status_code, bad.headers["content-range"]), (416, "bytes */3000000"))
    got = step("snapshot_download", lambda: Path(snapshot_download(REPO, repo_type=KIND, local_dir=work / "all")))
    step("whole", lambda: ((got / "data/large.bin").read_bytes() == LARGE, len(list(got.glob("texts/*")))), (True, 30))
    tree = lambda **more: list(api.list_repo_tree(REPO, repo_type=KIND, **more))  # noqa: E731
    step("list_repo_tree", lambda: sorted(one.path for one in tree())[-2:], ["texts", "weights.bin"])
    step("list_repo_tree, recursive", lambda: len(tree(recursive=True)), len(files()) + 2)
    last = step("list_repo_tree, expand", lambda: tree(path_in_repo="texts", expand=True))
    step("last commits", lambda: len(last) == 30 and all(one.last_commit for one in last), True)
    paths = ["README.md", "texts", "nothing"]
    step("get_paths_info", lambda: len(api.get_paths_info(REPO, paths, repo_type=KIND)), 2)
    step("list_repo_commits", lambda: api.list_repo_commits(REPO, repo_type=KIND)[-1].title, "Begin")
    step("list_datasets", lambda: REPO in [one.id for one in api.list_datasets(author=PROJECT)], True)
    fs = HfFileSystem()
    step("HfFileSystem.ls", lambda: f"datasets/{REPO}/texts" in fs.ls(f"datasets/{REPO}", detail=False), True)
    step("HfFileSystem.glob", lambda: len(fs.glob(f"datasets/{REPO}/**/0*.txt")), 10)
    step("HfFileSystem.cat_file", lambda: fs.cat_file(f"datasets/{REPO}/data/large.bin", 5, 9), LARGE[5:9])
    step("HfFileSystem.write", lambda: fs.write_text(f"datasets/{REPO}/by-fs.txt", "hi"), 2)
    step("HfFileSystem.read", lambda: fs.read_text(f"datasets/{REPO}/by-fs.txt"), "hi")
    step("HfFileSystem.modified", lambda: fs.modified(f"datasets/{REPO}/by-fs.txt").year > 2000, True)
    step("HfFileSystem.rm", lambda: fs.rm(f"datasets/{REPO}/by-fs.txt"))


def describe() -> None:
    head = {"license": "cc-by-4.0", "language": ["no", "ary"], "tags": ["Dunes"], "personal_data": "none"}
    step("metadata_update", lambda: metadata_update(REPO, head, repo_type=KIND, overwrite=True))
    info = step("dataset_info", lambda: api.dataset_info(REPO))
    step("its card", lambda: (info.card_data.license, info.card_data.language), ("cc-by-4.0", ["no", "ary"]))
    step("its tags", lambda: {"language:ary", "license:cc-by-4.0", "Dunes"} <= set(info.tags), True)

    def found(**sought: Any) -> list[str]:
        return [one.id for one in api.list_datasets(author=PROJECT, **sought)]

    step("list_datasets by language", lambda: REPO in found(language="ary"), True)
    step("by licence and tag", lambda: REPO in found(filter=["license:cc-by-4.0", "dunes"]), True)
    step("by what none is", lambda: found(filter="license:mit") + found(language="nope"), [])


def change() -> None:
    step("create_branch", lambda: api.create_branch(REPO, branch="try/one", repo_type=KIND))
    step("commit to it", lambda: put(b"b\n", "only-there.txt", revision="try/one"))
    step("its files", lambda: ("only-there.txt" in files("try/one"), "only-there.txt" in files()), (True, False))
    step("create_tag", lambda: api.create_tag(REPO, tag="v1", repo_type=KIND, tag_message="First"))
    refs = step("list_repo_refs", lambda: api.list_repo_refs(REPO, repo_type=KIND))
    step("names", lambda: ([b.name for b in refs.branches], [t.name for t in refs.tags]), (["main", "try/one"], ["v1"]))
    head = api.dataset_info(REPO).sha
    copies = [
        CommitOperationCopy("data/large.bin", "data/copy.bin"),
        CommitOperationCopy("README.md", "README2.md"),
        CommitOperationDelete("texts/", is_folder=True),
        CommitOperationAdd("new.txt", b"new\n"),
    ]
    commit = lambda parent: api.create_commit(  # noqa: E731
        REPO, copies, commit_message="Several", repo_type=KIND, parent_commit=parent
    )
    step("create_commit: copy, delete, add", lambda: commit(head))
    step("all of it", lambda: ("texts/00.txt" in files(), read("data/copy.bin") == LARGE), (False, True))
    late = [CommitOperationAdd("late.txt", b"late\n")]
    again = lambda: api.create_commit(REPO, late, commit_message="x", repo_type=KIND, parent_commit=head)  # noqa: E731
    fails("a commit on an old parent", HfHubHTTPError, again)
    step("nothing of it", lambda: "late.txt" in files(), False)
    step("delete_file", lambda: api.delete_file("README2.md", REPO, repo_type=KIND))
    step("delete_folder", lambda: api.delete_folder("data", REPO, repo_type=KIND))
    fails("delete what is not there", EntryNotFoundError, lambda: api.delete_file("nothing", REPO, repo_type=KIND))
    step("the tag still has all", lambda: read("data/large.bin", revision="v1") == LARGE, True)
    step("delete_tag", lambda: api.delete_tag(REPO, tag="v1", repo_type=KIND))
    step("delete_branch", lambda: api.delete_branch(REPO, branch="try/one", repo_type=KIND))
    step("super_squash_history", lambda: api.super_squash_history(REPO, repo_type=KIND))
    step("one commit", lambda: len(api.list_repo_commits(REPO, repo_type=KIND)), 1)


def open_and_end() -> None:
    see = lambda repo=REPO: stranger.dataset_info(repo)  # noqa: E731
    theirs = lambda: hf_hub_download(REPO, "README.md", repo_type=KIND, token=stranger.token)  # noqa: E731
    fails("a stranger", RepositoryNotFoundError, see)
    fails("a stranger's file", RepositoryNotFoundError, theirs)
    fails("a stranger's commit", RepositoryNotFoundError, lambda: stranger.delete_file("new.txt", REPO, repo_type=KIND))
    fails("a wrong token", HfHubHTTPError, lambda: HfApi(token="hf_wrong").whoami())
    fails("no such revision", RevisionNotFoundError, lambda: api.dataset_info(REPO, revision="nope"))
    fails("no such file", EntryNotFoundError, lambda: read("nope"))
    step("settings", lambda: api.update_repo_settings(REPO, repo_type=KIND, private=False, gated="manual"))
    step("now they know of it", lambda: see().gated, "manual")
    fails("but it is gated", GatedRepoError, theirs)
    me = stranger.whoami()["id"]
    ask = f"{ENDPOINT}/datasets/{REPO}/ask-access"
    answer = httpx2.post(ask, headers={"Authorization": f"Bearer {stranger.token}"})
    step("they ask", lambda: answer.json()["status"], "pending")
    waiting = lambda: [one.username for one in api.list_pending_access_requests(REPO, repo_type=KIND)]  # noqa: E731
    step("list_pending_access_requests", waiting, [me])
    step("accept_access_request", lambda: api.accept_access_request(REPO, me, repo_type=KIND))
    step("now they read", lambda: len(Path(theirs()).read_bytes()) > 0, True)
    step("auth_check", lambda: stranger.auth_check(REPO, repo_type=KIND))
    step("move_repo", lambda: api.move_repo(REPO, f"{REPO}-moved", repo_type=KIND))
    step("its old name leads on", lambda: api.dataset_info(REPO).id, f"{REPO}-moved")
    step("delete_repo", lambda: api.delete_repo(f"{REPO}-moved", repo_type=KIND))
    fails("it is gone", RepositoryNotFoundError, lambda: api.dataset_info(REPO))
    step("delete_repo of the model", lambda: api.delete_repo(MODEL))
    step("missing_ok", lambda: api.delete_repo(MODEL, missing_ok=True))


if __name__ == "__main__":
    walk(begin, send, look, describe, change, open_and_end)
