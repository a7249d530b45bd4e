"""JupyterHub for a class on one machine; deploy/README.md says how to use it.

Everything that differs from class to class is a variable:

    COURSE_HUB          "class" (the default): a server a learner by systemd, under an account of their own
                        "test": plain processes of one account, without any wall between learners, for tests only
    COURSE_HUB_ADMIN    the instructor's name; there is no default
    COURSE_HUB_STATE    the folder of the hub's database and secrets, by default /var/lib/course-hub
    COURSE_HUB_GB       the memory of one learner in GB, by default 2.5
    COURSE_HUB_CPUS     the processors of one learner, by default 1
    COURSE_HUB_SEATS    how many servers may run at once, by default as many as the machine's memory holds
"""

import os
import pwd
import subprocess
import sys
from pathlib import Path

import psutil

from utils.paths import ROOT

KIND = os.environ.get("COURSE_HUB", "class")
ADMIN = os.environ.get("COURSE_HUB_ADMIN", "").strip().lower()
STATE = Path(os.environ.get("COURSE_HUB_STATE", "/var/lib/course-hub"))
GB = float(os.environ.get("COURSE_HUB_GB", "2.5"))
CPUS = float(os.environ.get("COURSE_HUB_CPUS", "1"))
RESERVED_GB = 2  # for the system, the hub and the proxy
ACCOUNT_PREFIX = "course-"  # no account of the system's begins like this, so no learner can be `root` or `www-data`

if KIND not in ("class", "test"):
    sys.exit(f"COURSE_HUB is {KIND!r}: set it to class or test.")
if not ADMIN:
    sys.exit("COURSE_HUB_ADMIN is not set: name the person who lets learners in.")


def seats() -> int:
    """How many learners' servers may run at once."""
    named = os.environ.get("COURSE_HUB_SEATS")
    if named:
        return int(named)
    return max(1, int((psutil.virtual_memory().total / 2**30 - RESERVED_GB) / GB))


def make_account(spawner) -> None:  # noqa: ANN001  JupyterHub calls it with its own object
    """Create the learner's account before their first server.  Nobody else can read its home.

    Raises CalledProcessError when the system refuses; the learner then sees that the server did not start.
    """
    account = ACCOUNT_PREFIX + spawner.user.name
    try:
        pwd.getpwnam(account)
    except KeyError:
        options = ["--create-home", "--key", "HOME_MODE=0700", "--shell", "/bin/bash"]
        subprocess.run(["useradd", *options, account], check=True)


c = get_config()  # noqa: F821  JupyterHub defines it

# Only this machine: a TLS proxy in front of it is what the class sees.
c.JupyterHub.bind_url = "http://127.0.0.1:8000"
c.JupyterHub.hub_bind_url = "http://127.0.0.1:8081"
c.ConfigurableHTTPProxy.api_url = "http://127.0.0.1:8001"
c.JupyterHub.db_url = f"sqlite:///{STATE}/jupyterhub.sqlite"
c.JupyterHub.cookie_secret_file = str(STATE / "cookie_secret")
c.ConfigurableHTTPProxy.pid_file = str(STATE / "proxy.pid")

# Learners choose a name and a password; the instructor lets each in at /hub/authorize.
c.JupyterHub.authenticator_class = "nativeauthenticator.NativeAuthenticator"
c.Authenticator.admin_users = {ADMIN}
c.Authenticator.allow_all = True  # all whom the instructor has let in: NativeAuthenticator refuses the others itself
c.Authenticator.username_pattern = r"^[a-z][a-z0-9-]{0,23}\Z"  # with the prefix, at most 31 characters
c.NativeAuthenticator.open_signup = False
c.NativeAuthenticator.minimum_password_length = 10
c.NativeAuthenticator.check_common_password = True
c.NativeAuthenticator.allowed_failed_logins = 5
c.NativeAuthenticator.seconds_before_next_try = 60

# One installation for all, read by everyone; each learner's notebooks, answers and measurements are in their home.
c.Spawner.cmd = [sys.executable, str(ROOT / "deploy" / "start_learner.py")]
c.Spawner.notebook_dir = "~/course"
c.Spawner.default_url = "/lab/tree/notebooks/00_start_here.ipynb"
c.Spawner.args = [
    "--LabApp.news_url=None",
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    "--MappingKernelManager.cull_idle_timeout=1800",  # kernels of notebooks that were closed half an hour ago
    # Kernels listen on files instead of ports. Ports are chosen before a kernel takes them, and where a class starts
    # at once another process may be there first: then the kernel never starts. The messages are encrypted as well.
    "--KernelManager.transport=ipc",
    "--KernelManager.transport_encryption=required",
]
c.Spawner.environment = {
    "OMP_NUM_THREADS": str(max(1, int(CPUS))),  # more threads than processors would only fight for them
    "TOKENIZERS_PARALLELISM": "false",
    "HF_HUB_OFFLINE": "1",
    # A short path: a file to listen on may have about 100 characters. In a class, /tmp is the learner's own.
    "JUPYTER_RUNTIME_DIR": lambda spawner: f"/tmp/jupyter-{spawner.user.name}",
}
c.Spawner.mem_limit = f"{GB}G"
c.Spawner.cpu_limit = CPUS
c.Spawner.start_timeout = 120  # a whole class may press Start at once
c.Spawner.http_timeout = 120
# With a lower limit the hub refuses learners who press Start together ("Too many users"); it never lets them wait.
c.JupyterHub.concurrent_spawn_limit = c.JupyterHub.active_server_limit = seats()

# A server that nobody has used for an hour gives its memory back. Files stay.
c.JupyterHub.services = [
    {
        "name": "idle-culler",
        "command": [sys.executable, "-m", "jupyterhub_idle_culler", "--timeout=3600", "--cull-every=300"],
    }
]
c.JupyterHub.load_roles = [
    {
        "name": "idle-culler",
        "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
        "services": ["idle-culler"],
    }
]

if KIND == "class":
    c.JupyterHub.spawner_class = "systemdspawner.SystemdSpawner"
    c.JupyterHub.cleanup_servers = False  # learners' servers survive a restart of the hub
    c.Spawner.pre_spawn_hook = make_account
    c.SystemdSpawner.username_template = ACCOUNT_PREFIX + "{USERNAME}"
    c.SystemdSpawner.unit_name_template = "course-learner-{USERNAME}"  # never that of the hub
    c.SystemdSpawner.extra_paths = [str(Path(sys.executable).parent)]
    c.SystemdSpawner.default_shell = "/bin/bash"
    c.SystemdSpawner.isolate_tmp = True
    c.SystemdSpawner.isolate_devices = True
    c.SystemdSpawner.disable_user_sudo = True
    c.SystemdSpawner.readonly_paths = [str(ROOT)]
    c.SystemdSpawner.unit_extra_properties = {"UMask": "0077", "ProtectProc": "invisible"}
else:
    c.JupyterHub.spawner_class = "simple"
    if os.geteuid() == 0:  # as in many containers; here the learners' servers run under the account of the hub
        c.Spawner.args.append("--allow-root")
    c.SimpleLocalProcessSpawner.home_dir_template = str(STATE / "homes" / "{username}")
