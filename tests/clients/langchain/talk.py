"""LangChain: `python talk.py BASE_URL TOKEN EMBEDDING_MODEL`. Writes what it saw as JSON."""

import json
import sys

from langchain_openai import ChatOpenAI, OpenAIEmbeddings

url, token, embedding_model = sys.argv[1:4]
QUESTION = "When does our shop in Bern open in the morning?"
chat = ChatOpenAI(base_url=url, api_key=token, model="default", stream_usage=True)
seen = {}

whole = chat.invoke([("system", "Be brief."), ("human", QUESTION)])
seen["whole"] = whole.content
seen["total"] = whole.usage_metadata["total_tokens"]
chunks = list(chat.stream(QUESTION))
seen["streamed"] = "".join(chunk.content for chunk in chunks)
seen["stream_total"] = [c.usage_metadata["total_tokens"] for c in chunks if c.usage_metadata]
by_responses = ChatOpenAI(base_url=url, api_key=token, model="default", use_responses_api=True)
seen["response"] = str(by_responses.invoke(QUESTION).text)
try:
    ChatOpenAI(base_url=url, api_key=token, model="gpt-4o", max_retries=0).invoke(QUESTION)
except Exception as error:  # noqa: BLE001  whatever it makes of a 404
    seen["error"] = str(error)
# as token ids, and as text
for name, as_tokens in (("of_tokens", True), ("of_text", False)):
    embeddings = OpenAIEmbeddings(
        base_url=url, api_key=token, model=embedding_model, check_embedding_ctx_length=as_tokens
    )
    seen[name] = embeddings.embed_documents(["We open at nine.", "Zebras run."])
slow = ChatOpenAI(base_url=url, api_key=token, model="slow", model_kwargs={"user": "langchain"})
for chunk in slow.stream(QUESTION):
    if chunk.content:
        break

print(json.dumps(seen))  # noqa: T201
