"""An asyncio service over grc: `uvicorn --factory fastapi_service.app:from_environment`."""
