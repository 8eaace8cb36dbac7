import pytest

from reconciler.git_remote import GitRemote


@pytest.mark.parametrize(
    ("text", "url", "branch", "origin", "path"),
    [
        ("git+file:///srv/state.git#main", "file:///srv/state.git", "main", None, "/srv/state.git"),
        ("git+file:///srv/my%20state.git", "file:///srv/my%20state.git", "reconciler-state", None, "/srv/my state.git"),
        (
            "git+https://Host.example/a/b.git#x/y",
            "https://Host.example/a/b.git",
            "x/y",
            "https://host.example:443",
            None,
        ),
        ("git+ssh://git@host:2222/a.git#b", "ssh://git@host:2222/a.git", "b", "ssh://host:2222", None),
        ("git+git@github.com:acme/state.git#b", "git@github.com:acme/state.git", "b", "ssh://github.com:22", None),
        ("git+host:state.git", "host:state.git", "reconciler-state", "ssh://host:22", None),
        ("git+http://127.0.0.1:80/a.git", "http://127.0.0.1:80/a.git", "reconciler-state", "http://127.0.0.1:80", None),
        ("git+http://[::1]/a.git", "http://[::1]/a.git", "reconciler-state", "http://[::1]:80", None),
    ],
)
def test_a_remote_is_read_with_its_branch_and_server(text, url, branch, origin, path):
    found = GitRemote.parse(text)
    assert (found.url, found.branch, found.origin, found.path) == (url, branch, origin, path)


WRONG = ("", "-x", "a..b", "a//b", "a/", "a.lock", "a.lock/b", "/a", "a:b", "a@{1}", "+a", "a/.b", "a~1")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("git+", "names no Git remote"),
        ("git+#x", "names no Git remote"),
        ("git+/srv/state.git", "names no Git remote"),
        ("git+../state.git", "names no Git remote"),
        ("git+ext::sh -c touch% /tmp/x", "a blank"),
        ("git+ext::sh", "names no Git remote"),
        ("git+ext://sh", "names no Git remote"),
        ("git+--upload-pack=touch:x", "names no Git remote"),
        ("git+-oProxyCommand=x:y", "names no Git remote"),
        ("git+ssh://-oProxyCommand=x/y", "names no Git remote"),
        ("git+ssh://-x@host/y", "names no Git remote"),
        ("git+https://host", "names no Git remote"),
        ("git+https://host:99999/x", "names no Git remote"),
        ("git+https://user:hunter2@host/x", "contains a credential"),
        ("git+https://ghp_hunter2@host/x", "contains a credential"),
        ("git+ssh://git:hunter2@host/x", "contains a credential"),
        ("git+https://host/x?token=hunter2", "contains a query"),
        ("git+http://host/x", "not encrypted"),
        ("git+git://host/x", "not encrypted"),
        ("git+file://host/x", "names no folder"),
        ("git+file:///", "names no folder"),
        ("git+file:relative", "names no Git remote"),
        *((f"git+file:///x#{branch}", "names a branch") for branch in WRONG),
        ("git+file:///x#a\nb", "a blank"),
    ],
)  # fmt: skip
def test_refused_and_what_it_holds_is_not_repeated(text, words):
    with pytest.raises(ValueError, match=words) as caught:
        GitRemote.parse(text)
    assert "hunter2" not in str(caught.value)
