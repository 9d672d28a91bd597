"""A page of the app without a browser: Streamlit's messages over a websocket, as its scripts send them."""

import asyncio
import json
import time
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar
from urllib.parse import urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets import Origin, Subprotocol
from websockets.asyncio.client import ClientConnection, connect

from capsviz.app.messages import tag_object

T = TypeVar("T")
PATIENCE = 60.0  # seconds until an answer that does not come is an error
AGE = 2  # runs for which a browser keeps a message that was not needed again, as the server has it
FINISHED = {ForwardMsg.FINISHED_SUCCESSFULLY, ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY}


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """What a coroutine returns, from a thread of its own: in this one the browser of other tests has its loop."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, coroutine).result()


class Wire(ClientConnection):
    """A websocket that knows what came over the wire: as browsers do, it asks for compression."""

    received = 0  # bytes

    def data_received(self, data: bytes) -> None:
        """Count, and go on."""
        self.received += len(data)
        super().data_received(data)


def connected(url: str) -> connect:
    """A websocket to the app at ``url``, as a page of it would open one."""
    stream = f"ws://{urlsplit(url).netloc}/_stcore/stream"
    return connect(
        stream,
        subprotocols=[Subprotocol("streamlit")],
        origin=Origin(url),
        max_size=None,
        create_connection=Wire,
    )


class Session:
    """One person's page."""

    def __init__(self, socket: ClientConnection) -> None:
        assert isinstance(socket, Wire)
        self._socket = socket
        self._kept: dict[str, tuple[bytes, int]] = {}  # large messages by their hash, and when they last came
        self._runs = 0
        self._pages: dict[str, str] = {}  # hash of each page's script, by its name in the address
        self._ids: dict[str, str] = {}  # of the controls, by their key
        self._fragments: dict[str, str] = {}  # that components stand in, by their key
        self._states: dict[str, str] = {}  # of components, as they were last sent, by their key
        self._told: tuple[int, int] = (0, 0)  # tag of what the canvas was told to show
        self.below = 0  # objects that it was told to show
        self.page = ""
        self.query = ""
        self.id = ""  # by which a page that comes back finds its session again
        self.card = ""  # the answer's HTML
        self.shown: list[str] = []  # all HTML and alerts of the last run
        self.buttons: dict[str, bool] = {}  # whether each can be pressed, by its key
        self.components: dict[str, Any] = {}  # what each was given, by its key
        self.answered = 0.0  # when the card came
        self.bytes = 0  # on the wire, of the last run

    async def run(self, pressed: str = "", fragment: str = "") -> None:
        """Have the script run, as after a press of a button or in a component's fragment, and read what it sends."""
        message = BackMsg()
        client = message.rerun_script
        client.query_string = self.query
        client.page_script_hash = self._pages.get(self.page, "")
        client.fragment_id = self._fragments.get(fragment, "")
        for key, state in self._states.items():
            if key in self._ids:
                widget = client.widget_states.widgets.add()
                widget.id, widget.json_value = self._ids[key], state
        if pressed:
            widget = client.widget_states.widgets.add()
            widget.id, widget.trigger_value = self._ids[pressed], True
        client.cached_message_hashes.extend(self._kept)
        self.card, self.shown, before = "", [], self._socket.received
        await self._socket.send(message.SerializeToString())
        while not await self._receive():
            pass
        self.bytes = self._socket.received - before
        self._forget()

    async def tell(self, component: str, state: str) -> None:
        """Send a component's state, as text, whatever it says."""
        self._states[component] = state
        await self.run(fragment=component)

    async def tell_once(self, component: str, state: str) -> None:
        """The same of a component that is no longer on the page afterwards: a browser forgets what it said."""
        await self.tell(component, state)
        del self._states[component]

    async def draw(self, *objects: object) -> None:
        """Draw on what the canvas was told to show, of which nothing but the tag comes back."""
        await self.tell("canvas", json.dumps({"drawing": {"raw": {"objects": [self.tag(), *objects]}}}))

    def tag(self) -> dict[str, Any]:
        """The object with which the canvas says what it follows."""
        return tag_object(self._told)

    async def send(self, message: BackMsg) -> None:
        """Anything else."""
        await self._socket.send(message.SerializeToString())

    async def _receive(self) -> bool:
        """Take in one message; whether the run has ended."""
        data = await asyncio.wait_for(self._socket.recv(), PATIENCE)
        assert isinstance(data, bytes)
        message = ForwardMsg.FromString(data)
        if message.metadata.cacheable:
            self._kept[message.hash] = data, self._runs
        elif message.WhichOneof("type") == "ref_hash":
            data, _ = self._kept[message.ref_hash]
            self._kept[message.ref_hash] = data, self._runs
            message = ForwardMsg.FromString(data)
        kind = message.WhichOneof("type")
        if kind == "new_session":
            self.id = message.new_session.initialize.session_id
        elif kind == "navigation":
            self._pages = {page.url_pathname: page.page_script_hash for page in message.navigation.app_pages}
        elif kind == "delta":
            self._take(message.delta)
        return kind == "script_finished" and message.script_finished in FINISHED

    def _forget(self) -> None:
        """A run has ended: a browser drops what has not been needed in the last two."""
        self._runs += 1
        self._kept = {
            key: (data, last) for key, (data, last) in self._kept.items() if self._runs - last <= AGE
        }

    def _take(self, delta: Any) -> None:
        element = delta.new_element
        match element.WhichOneof("type"):
            case "html":
                self.shown.append(element.html.body)
                if "cv-reading" in element.html.body:
                    self.card, self.answered = element.html.body, time.perf_counter()
            case "alert":
                self.shown.append(element.alert.body)
            case "button":
                key = element.button.id.rpartition("-")[2]
                self._ids[key], self.buttons[key] = element.button.id, not element.button.disabled
            case "bidi_component":
                component = element.bidi_component
                key = component.id.rpartition("-")[2]
                self._ids[key], self._fragments[key] = component.id, delta.fragment_id
                self.components[key] = json.loads(component.json) if component.json else component.bytes
                if key == "canvas":
                    told, *below = self.components[key]["initialDrawing"]["objects"]
                    self._told, self.below = (told["width"], told["height"]), len(below)
            case "exception":
                raise RuntimeError(element.exception.message)
